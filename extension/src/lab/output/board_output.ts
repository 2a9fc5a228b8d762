// How a board's output is drawn in a notebook: the live panel where the kernel has it, else the still picture
// that was saved, with the ways back. Jupyter's own renderer would say "model not found" instead.
import type { NotebookPanel } from "@jupyterlab/notebook";
import { NotebookActions } from "@jupyterlab/notebook";
import type { IRenderMime } from "@jupyterlab/rendermime";
import { Panel, Widget } from "@lumino/widgets";
import { BOARD_OUTPUT, WIDGET_VIEW } from "../../protocol/generated";
import { drawBar, type Way } from "../bar";
import type { KernelLife, Life } from "../life";
import { reloadBoard } from "../reload";
import { type BoardBundle, boardBundle, HTML } from "./bundle";
import { cellOf, replaceOutputs } from "./outputs";

/** Tells a panel whether its kernel is there; see extension/src/widget.tsx. */
export const KERNEL_EVENT = "circuitboard:kernel";

const GONE: Record<Exclude<Life, "alive">, string> = {
  away: "The connection to the kernel is lost and is being made again; nothing that was clicked is lost.",
  restarted:
    "The kernel was restarted, and the board went with it. What you see is its last state.",
  killed: "The kernel died, and the board went with it. What you see is its last state.",
  none: "The kernel was shut down, and the board went with it. What you see is its last state.",
};

/** The widget manager comes a moment after the kernel. */
const MANAGER_TRIES = 100;
const MANAGER_PAUSE_MS = 100;

export type OutputState = "still" | "live" | "gone";

export class BoardOutput extends Panel implements IRenderMime.IRenderer {
  readonly #notebook: NotebookPanel;
  readonly #life: KernelLife;
  readonly #unfollow: () => void;
  readonly #bar = new Widget();
  readonly #still = new Panel();
  readonly #seen: MutationObserver;
  #live: Widget | null = null;
  #bundle: BoardBundle | null = null;
  #trusted = false;
  /** What became of the process whose board is drawn live; "alive" while nothing did. */
  #fate: Life = "alive";
  /** How many processes had ended when the board's output came. */
  #ends = 0;
  /** The number of the newest try to draw the panel; an older one gives up. */
  #attempt = 0;
  #reloading = false;

  constructor(notebook: NotebookPanel, life: KernelLife) {
    super();
    this.#notebook = notebook;
    this.#life = life;
    this.addClass("cb-lab-output");
    this.node.dataset.cb = "lab-output";
    this.#bar.addClass("cb-lab-bar");
    this.#bar.node.setAttribute("role", "status");
    this.#bar.node.dataset.cb = "lab-bar";
    this.#still.addClass("cb-lab-still");
    this.addWidget(this.#bar);
    this.addWidget(this.#still);
    this.#seen = new MutationObserver(() => this.#update());
    this.#unfollow = life.follow((now) => this.#onLife(now));
    notebook.sessionContext.kernelChanged.connect(this.#onKernel, this);
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this.#attempt += 1;
    this.#seen.disconnect();
    this.#unfollow();
    this.#notebook.sessionContext.kernelChanged.disconnect(this.#onKernel, this);
    super.dispose();
  }

  get state(): OutputState {
    const drawn = this.#live?.node.firstElementChild ?? null;
    if (drawn === null) return "still";
    return this.#fate === "alive" ? "live" : "gone";
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const bundle = boardBundle(model.data, model.metadata);
    const before = this.#bundle;
    this.#bundle = bundle;
    this.#trusted = model.trusted;
    await this.#drawStill(model);
    if (bundle !== null && (bundle.modelId !== before?.modelId || this.#live === null)) {
      this.#fate = "alive";
      this.#ends = this.#life.ends.count;
      void this.#drawLive();
    }
    this.#update();
  }

  async #drawStill(model: IRenderMime.IMimeModel): Promise<void> {
    const { rendermime } = this.#notebook.content;
    const html = model.data[HTML];
    for (const old of [...this.#still.widgets]) old.dispose();
    if (typeof html !== "string") return;
    // Jupyter's sanitizer, which reads what is not trusted, drops pictures; as an image one cannot act.
    const picture = model.trusted ? null : pictureOf(html);
    if (picture !== null) this.#still.addWidget(new Widget({ node: picture }));
    const renderer = rendermime.createRenderer(HTML);
    this.#still.addWidget(renderer);
    await renderer.renderModel(
      rendermime.createModel({ data: { [HTML]: html }, trusted: model.trusted }),
    );
  }

  /** Draws the panel by Jupyter's widget manager, once there is one. */
  async #drawLive(): Promise<void> {
    this.#attempt += 1;
    const attempt = this.#attempt;
    const overtaken = (): boolean => this.isDisposed || attempt !== this.#attempt;
    this.#live?.dispose();
    this.#live = null;
    const data = this.#bundle?.data;
    if (data?.[WIDGET_VIEW] === undefined || !this.#trusted) return;
    await this.#notebook.sessionContext.ready;
    for (let tried = 0; tried < MANAGER_TRIES && !overtaken(); tried += 1) {
      if (this.#notebook.sessionContext.session?.kernel && this.#hasManager()) break;
      await new Promise((resolve) => setTimeout(resolve, MANAGER_PAUSE_MS));
    }
    if (overtaken() || !this.#notebook.sessionContext.session?.kernel || !this.#hasManager())
      return;
    const { rendermime } = this.#notebook.content;
    const renderer = rendermime.createRenderer(WIDGET_VIEW);
    renderer.addClass("cb-lab-live");
    this.#live = renderer;
    this.addWidget(renderer);
    this.#seen.observe(renderer.node, { childList: true });
    this.#update();
    await renderer.renderModel(
      rendermime.createModel({
        // The renderer writes into what it is given.
        data: { [WIDGET_VIEW]: { ...(data[WIDGET_VIEW] as object) } },
        trusted: true,
      }),
    );
  }

  /** Whether the notebook's own widget manager draws here yet: its renderer is not the one of every notebook. */
  #hasManager(): boolean {
    const own = this.#notebook.content.rendermime.getFactory(WIDGET_VIEW);
    return own !== undefined && own !== sharedFactory;
  }

  #onLife(life: Life): void {
    if (life === "alive") {
      // Only a connection comes back to the same process.
      if (this.#fate === "away") {
        this.#fate = "alive";
        this.#tell(true);
      }
    } else if (this.state !== "still") {
      this.#fate = life;
      this.#tell(false);
    }
    this.#update();
  }

  #onKernel(_: unknown, change: { newValue: unknown }): void {
    if (!change.newValue || this.state !== "still") return;
    this.#ends = this.#life.ends.count;
    void this.#drawLive();
  }

  #tell(alive: boolean): void {
    const board = this.#live?.node.querySelector('[data-cb="board"]');
    board?.dispatchEvent(new CustomEvent(KERNEL_EVENT, { bubbles: true, detail: { alive } }));
  }

  #update(): void {
    // The process may have ended while its panel was still being drawn.
    const { count, last } = this.#life.ends;
    if (this.state === "live" && count !== this.#ends) {
      this.#fate = last;
      this.#tell(false);
    }
    const state = this.state;
    this.node.dataset.state = state;
    this.#still.setHidden(state !== "still");
    this.#live?.setHidden(state === "still");
    this.#bar.setHidden(state === "live");
    if (state !== "live" && !this.#reloading) this.#drawBar(state);
  }

  #drawBar(state: OutputState): void {
    if (!this.#trusted) {
      drawBar(
        this.#bar.node,
        "This is the board as it was saved. Trust this notebook to get the live panel.",
        [],
      );
      return;
    }
    const words =
      state === "gone" && this.#fate !== "alive"
        ? GONE[this.#fate]
        : this.#notebook.sessionContext.session?.kernel
          ? "This is the board as it was saved; this kernel does not have it."
          : "This is the board as it was saved; no kernel is running.";
    drawBar(this.#bar.node, words, this.#fate === "away" ? [] : this.#ways());
  }

  #ways(): Way[] {
    const ways: Way[] = [];
    if (this.#bundle?.saved) {
      ways.push({
        label: "Reload the last saved board",
        hook: "lab-reload-saved",
        act: () => void this.#reload(),
      });
    }
    ways.push({
      label: "Run this cell again",
      hook: "lab-run-cell",
      act: () => void this.#rerun(),
    });
    return ways;
  }

  async #reload(): Promise<void> {
    const bundle = this.#bundle;
    if (bundle === null || this.#reloading) return;
    this.#reloading = true;
    drawBar(this.#bar.node, "Loading the saved board and its model …", []);
    const reloaded = await reloadBoard(this.#notebook, bundle.saved);
    this.#reloading = false;
    if (this.isDisposed) return;
    if (reloaded.kind === "board") replaceOutputs(this.#notebook, bundle.modelId, reloaded.bundle);
    else drawBar(this.#bar.node, reloaded.words, this.#ways(), reloaded.code);
  }

  async #rerun(): Promise<void> {
    const cell = this.#bundle === null ? null : cellOf(this.#notebook, this.#bundle.modelId);
    if (cell === null) return;
    const { content, sessionContext } = this.#notebook;
    content.activeCellIndex = content.widgets.indexOf(cell);
    if (!sessionContext.session?.kernel) await sessionContext.startKernel();
    await NotebookActions.run(content, sessionContext);
  }
}

let sharedFactory: IRenderMime.IRendererFactory | undefined;

/** Has boards be drawn by us in this notebook, before any of its outputs is drawn. */
export function drawBoards(
  notebook: NotebookPanel,
  life: KernelLife,
  shared: IRenderMime.IRendererFactory | undefined,
): void {
  sharedFactory = shared;
  notebook.content.rendermime.addFactory(
    {
      // What is not trusted is only ever shown as the still picture, sanitized.
      safe: true,
      mimeTypes: [BOARD_OUTPUT],
      createRenderer: () => new BoardOutput(notebook, life),
    },
    -20,
  );
}

/** The first picture in a piece of HTML, as an image, which neither runs nor loads anything. */
function pictureOf(html: string): HTMLElement | null {
  const svg = new DOMParser().parseFromString(html, "text/html").querySelector("svg");
  if (svg === null) return null;
  const image = document.createElement("img");
  const source = new XMLSerializer().serializeToString(svg);
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(source)}`;
  image.alt = svg.getAttribute("aria-label") ?? "The board's map as it was saved";
  const box = document.createElement("div");
  box.className = "cb-lab-picture";
  box.append(image);
  return box;
}
