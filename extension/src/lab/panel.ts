// The panel beside a notebook: it draws a board of the notebook's kernel, or says in words why it cannot.
import { NotebookActions, type NotebookPanel } from "@jupyterlab/notebook";
import type { Kernel } from "@jupyterlab/services";
import { PanelLayout, Widget } from "@lumino/widgets";
import { WIDGET_VIEW } from "../protocol/generated";
import { drawBar, type Way } from "./bar";
import { type Display, requestDisplay } from "./display";
import { boardIcon } from "./icon";
import type { KernelLife, Life } from "./life";
import { KERNEL_EVENT } from "./output/board_output";
import type { BoardBundle } from "./output/bundle";
import { replaceOutputs } from "./output/outputs";
import { reloadBoard } from "./reload";

/** What to run when there is no board yet. It works offline, on the model that ships with the package. */
const FIRST_BOARD = [
  "import circuitboard as cb",
  'model = cb.load("demo")',
  "cb.Board(model, cb.tasks.ioi(8, model=model))",
].join("\n");

export type PanelState = "waiting" | "showing" | "empty" | "restarted" | "no-kernel" | "failed";

export interface PanelActions {
  /** Opens the form for a new board of this notebook. */
  newBoard(): void;
}

let panels = 0;

export class BoardPanel extends Widget {
  readonly notebook: NotebookPanel;
  /** The number under which the server lists the board that is shown; null for the kernel's newest. */
  readonly board: number | null;
  readonly #actions: PanelActions;
  readonly #layout = new PanelLayout();
  readonly #unfollow: () => void;
  #content: { widget: Widget; bundle: BoardBundle } | null = null;
  #state: PanelState = "waiting";
  /** The number of the newest question; an answer to an older one is dropped. */
  #question = 0;
  #asking = false;
  /** A cell finished while a question was out: its answer may be old already. */
  #askAgain = false;

  constructor(
    notebook: NotebookPanel,
    life: KernelLife,
    actions: PanelActions,
    board: number | null,
  ) {
    super();
    this.notebook = notebook;
    this.board = board;
    this.#actions = actions;
    this.layout = this.#layout;
    panels += 1;
    this.id = `circuitboard-lab-${panels}`;
    this.addClass("cb-lab");
    this.node.dataset.cb = "lab-panel";
    this.title.icon = boardIcon;
    this.title.closable = true;
    this.#rename();
    notebook.title.changed.connect(this.#rename, this);
    notebook.disposed.connect(this.dispose, this);
    this.#unfollow = life.follow((now) => this.#onLife(now));
    NotebookActions.executed.connect(this.#onExecuted, this);
    void this.reload();
  }

  get state(): PanelState {
    return this.#state;
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this.#question += 1;
    this.#unfollow();
    NotebookActions.executed.disconnect(this.#onExecuted, this);
    this.notebook.title.changed.disconnect(this.#rename, this);
    this.notebook.disposed.disconnect(this.dispose, this);
    super.dispose();
  }

  /** Asks the kernel for the board and draws the answer. */
  async reload(): Promise<void> {
    if (!this.#content) {
      this.#say("waiting", "Asking the kernel for its board. A running cell has to finish first.");
    }
    await this.notebook.context.ready;
    await this.notebook.sessionContext.ready;
    if (this.isDisposed) return;
    const kernel = this.#kernel();
    if (!kernel) {
      this.#say("no-kernel", "This notebook has no kernel. Start one, then run your board's cell.");
      return;
    }
    await this.#ask(kernel, (display) => this.#explain(display));
  }

  #kernel(): Kernel.IKernelConnection | null {
    return this.notebook.sessionContext.session?.kernel ?? null;
  }

  /** `otherwise` is told an answer that is no board. */
  async #ask(
    kernel: Kernel.IKernelConnection,
    otherwise: (display: Display) => void,
  ): Promise<void> {
    this.#question += 1;
    const question = this.#question;
    this.#asking = true;
    this.#askAgain = false;
    let display: Display;
    try {
      display = await requestDisplay(kernel, this.board);
    } catch (error) {
      // A future is rejected when its kernel is restarted or its connection is disposed.
      display = { kind: "failed", message: error instanceof Error ? error.message : String(error) };
    }
    if (question !== this.#question) return;
    this.#asking = false;
    if (display.kind === "view") await this.#draw(display.bundle);
    else otherwise(display);
    if (this.#askAgain && question === this.#question) await this.#ask(kernel, otherwise);
  }

  async #draw(bundle: BoardBundle): Promise<void> {
    if (this.#content?.bundle.modelId === bundle.modelId && this.#state === "showing") return;
    const { rendermime } = this.notebook.content;
    const renderer = rendermime.createRenderer(WIDGET_VIEW);
    renderer.addClass("cb-lab-board");
    this.#clear();
    this.#layout.addWidget(renderer);
    this.#content = { widget: renderer, bundle };
    this.#enter("showing");
    const model = rendermime.createModel({
      // The renderer writes into what it is given.
      data: { [WIDGET_VIEW]: { ...(bundle.data[WIDGET_VIEW] as object) } },
      metadata: bundle.metadata as Record<string, never>,
      trusted: true,
    });
    await renderer.renderModel(model);
  }

  #explain(display: Display): void {
    if (display.kind === "none") {
      this.#say(
        "empty",
        "This notebook has no board yet. Make one in the form, or run a cell with these lines:",
        FIRST_BOARD,
      );
    } else if (display.kind === "failed") {
      this.#say("failed", "The kernel could not show its board.", display.message);
    }
  }

  /** The board on the screen belongs to a process that is gone: say so instead of leaving it to hang. */
  #onLife(life: Life): void {
    if (life === "alive") {
      if (this.#content === null) void this.reload();
      else this.#tell(true);
      return;
    }
    this.#question += 1;
    this.#asking = false;
    this.#tell(false);
    if (life === "away") return;
    const words = {
      restarted: "The kernel restarted: reload the board, or run your board's cell again.",
      killed: "The kernel died: reload the board, or run your board's cell again.",
      none: "The kernel is gone. Reload the board, or start a kernel and run your board's cell.",
    }[life];
    this.#say(life === "none" ? "no-kernel" : "restarted", words, undefined, true);
  }

  #tell(alive: boolean): void {
    const board = this.#content?.widget.node.querySelector('[data-cb="board"]');
    board?.dispatchEvent(new CustomEvent(KERNEL_EVENT, { bubbles: true, detail: { alive } }));
  }

  /** A cell that ran may have made a board, or a newer one; without one the panel stays as it is. */
  #onExecuted(_: unknown, run: { notebook: unknown; success: boolean }): void {
    if (run.notebook !== this.notebook.content || !run.success) return;
    const kernel = this.#kernel();
    if (!kernel) return;
    if (this.#asking) this.#askAgain = true;
    else
      void this.#ask(kernel, (display) => {
        if (display.kind === "failed" && !this.#content) this.#explain(display);
      });
  }

  async #reloadSaved(): Promise<void> {
    const old = this.#content?.bundle ?? null;
    this.#say("waiting", "Loading the saved board and its model …", undefined, true);
    const reloaded = await reloadBoard(this.notebook, old?.saved ?? null);
    if (this.isDisposed) return;
    if (reloaded.kind === "board") {
      if (old !== null) replaceOutputs(this.notebook, old.modelId, reloaded.bundle);
      await this.#draw(reloaded.bundle);
    } else {
      this.#say("restarted", reloaded.words, reloaded.code ?? undefined, true);
    }
  }

  #clear(): void {
    this.#content = null;
    for (const widget of [...this.#layout.widgets]) widget.dispose();
  }

  #enter(state: PanelState): void {
    this.#state = state;
    this.node.dataset.state = state;
  }

  /** Says something in place of the board, or above it where it is to be kept in sight. */
  #say(state: PanelState, words: string, code?: string, keepBoard = false): void {
    const content = keepBoard ? this.#content : null;
    for (const widget of [...this.#layout.widgets]) {
      if (widget !== content?.widget) widget.dispose();
    }
    if (content === null) this.#content = null;
    const box = new Widget();
    box.addClass(content === null ? "cb-lab-message" : "cb-lab-bar");
    box.node.setAttribute("role", "status");
    drawBar(box.node, words, state === "waiting" ? [] : this.#ways(state), code ?? null);
    this.#layout.insertWidget(0, box);
    this.#enter(state);
  }

  #ways(state: PanelState): Way[] {
    const ways: Way[] = [];
    if (state === "restarted" || state === "no-kernel") {
      ways.push({
        label: "Reload the last saved board",
        hook: "lab-reload-saved",
        act: () => void this.#reloadSaved(),
      });
    }
    if (state === "empty") {
      ways.push({ label: "New board…", hook: "lab-new", act: () => this.#actions.newBoard() });
    }
    ways.push({ label: "Look again", hook: "lab-reload", act: () => void this.reload() });
    return ways;
  }

  #rename(): void {
    const { label } = this.notebook.title;
    this.title.label = `Board: ${label}`;
    this.title.caption = `The ${this.board === null ? "current board" : `board ${this.board}`} of ${label}`;
  }
}
