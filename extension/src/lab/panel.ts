// The panel beside a notebook: it draws the kernel's current board, or says in words why it cannot.
import { NotebookActions, type NotebookPanel } from "@jupyterlab/notebook";
import type { Kernel } from "@jupyterlab/services";
import { PanelLayout, Widget } from "@lumino/widgets";
import { type Display, requestDisplay, WIDGET_VIEW } from "./display";
import { boardIcon } from "./icon";

/** What to run when there is no board yet. It works offline, on the model that ships with the package. */
const FIRST_BOARD = [
  "import circuitboard as cb",
  'model = cb.load("demo")',
  "cb.Board(model, cb.tasks.ioi(8, model=model))",
].join("\n");

export type PanelState = "waiting" | "showing" | "empty" | "restarted" | "no-kernel" | "failed";

let panels = 0;

export class BoardPanel extends Widget {
  readonly #notebook: NotebookPanel;
  readonly #layout = new PanelLayout();
  #shown: { widget: Widget; modelId: string } | null = null;
  #state: PanelState = "waiting";
  /** The number of the newest question; an answer to an older one is dropped. */
  #question = 0;
  #asking = false;
  /** A cell finished while a question was out: its answer may be old already. */
  #askAgain = false;

  constructor(notebook: NotebookPanel) {
    super();
    this.#notebook = notebook;
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
    notebook.sessionContext.statusChanged.connect(this.#onStatus, this);
    notebook.sessionContext.kernelChanged.connect(this.#onKernel, this);
    NotebookActions.executed.connect(this.#onExecuted, this);
    void this.reload();
  }

  get state(): PanelState {
    return this.#state;
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this.#question += 1;
    NotebookActions.executed.disconnect(this.#onExecuted, this);
    this.#notebook.title.changed.disconnect(this.#rename, this);
    this.#notebook.disposed.disconnect(this.dispose, this);
    this.#notebook.sessionContext.statusChanged.disconnect(this.#onStatus, this);
    this.#notebook.sessionContext.kernelChanged.disconnect(this.#onKernel, this);
    super.dispose();
  }

  /** Asks the kernel for its current board and draws the answer. */
  async reload(): Promise<void> {
    const kernel = this.#notebook.sessionContext.session?.kernel;
    if (!kernel) {
      this.#say("no-kernel", "This notebook has no kernel. Start one, then run your board's cell.");
      return;
    }
    if (!this.#shown) {
      this.#say("waiting", "Asking the kernel for its board. A running cell has to finish first.");
    }
    await this.#ask(kernel, (display) => this.#explain(display));
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
      display = await requestDisplay(kernel);
    } catch (error) {
      // A future is rejected when its kernel is restarted or its connection is disposed.
      display = { kind: "failed", message: error instanceof Error ? error.message : String(error) };
    }
    if (question !== this.#question) return;
    this.#asking = false;
    if (display.kind === "view") await this.#draw(display);
    else otherwise(display);
    if (this.#askAgain && question === this.#question) await this.#ask(kernel, otherwise);
  }

  async #draw(display: Extract<Display, { kind: "view" }>): Promise<void> {
    if (this.#shown?.modelId === display.modelId) return;
    const { rendermime } = this.#notebook.content;
    const renderer = rendermime.createRenderer(WIDGET_VIEW);
    renderer.addClass("cb-lab-board");
    this.#clear();
    this.#layout.addWidget(renderer);
    this.#shown = { widget: renderer, modelId: display.modelId };
    this.#enter("showing");
    const model = rendermime.createModel({
      data: display.data as Record<string, never>,
      metadata: display.metadata as Record<string, never>,
      trusted: true,
    });
    await renderer.renderModel(model);
  }

  #explain(display: Display): void {
    if (display.kind === "none") {
      this.#say(
        "empty",
        "This notebook has no board yet. Run a cell with these lines:",
        FIRST_BOARD,
      );
    } else if (display.kind === "failed") {
      this.#say("failed", "The kernel could not show its board.", display.message);
    }
  }

  /** The board on the screen belongs to a process that is gone: say so instead of leaving it to hang. */
  #onStatus(_: unknown, status: Kernel.Status): void {
    if (status === "restarting" || status === "autorestarting") {
      this.#drop("restarted", "The kernel restarted: run your board's cell again.");
    } else if (status === "dead" || status === "terminating") {
      this.#drop("no-kernel", "The kernel is gone. Start one, then run your board's cell.");
    }
  }

  #onKernel(_: unknown, change: { oldValue: unknown; newValue: unknown }): void {
    if (!change.newValue) {
      this.#drop("no-kernel", "The kernel is gone. Start one, then run your board's cell.");
    } else if (change.oldValue) {
      this.#drop("restarted", "The notebook has a new kernel: run your board's cell again.");
    } else {
      this.#drop("empty", "The kernel has started: run your board's cell.");
    }
  }

  /** A cell that ran may have made a board, or a newer one; without one the panel stays as it is. */
  #onExecuted(_: unknown, run: { notebook: unknown; success: boolean }): void {
    if (run.notebook !== this.#notebook.content || !run.success) return;
    const kernel = this.#notebook.sessionContext.session?.kernel;
    if (!kernel) return;
    if (this.#asking) this.#askAgain = true;
    else
      void this.#ask(kernel, (display) => {
        if (display.kind === "failed" && !this.#shown) this.#explain(display);
      });
  }

  #drop(state: PanelState, words: string): void {
    this.#question += 1;
    this.#asking = false;
    this.#say(state, words);
  }

  #clear(): void {
    this.#shown = null;
    for (const widget of [...this.#layout.widgets]) widget.dispose();
  }

  #enter(state: PanelState): void {
    this.#state = state;
    this.node.dataset.state = state;
  }

  #say(state: PanelState, words: string, code?: string): void {
    this.#clear();
    const box = document.createElement("div");
    box.className = "cb-lab-message";
    box.setAttribute("role", "status");
    const text = document.createElement("p");
    text.textContent = words;
    box.append(text);
    if (code !== undefined) {
      const block = document.createElement("pre");
      block.textContent = code;
      box.append(block);
    }
    if (state !== "waiting") {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "jp-mod-styled jp-mod-reject";
      button.dataset.cb = "lab-reload";
      button.textContent = "Reload";
      button.addEventListener("click", () => void this.reload());
      box.append(button);
    }
    this.#layout.addWidget(new Widget({ node: box }));
    this.#enter(state);
  }

  #rename(): void {
    const { label } = this.#notebook.title;
    this.title.label = `Board: ${label}`;
    this.title.caption = `The current board of ${label}`;
  }
}
