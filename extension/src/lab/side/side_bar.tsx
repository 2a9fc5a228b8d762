// The side panel's controller: follows the notebook in front, its kernel, the sessions and the list of boards.
import type { JupyterFrontEnd } from "@jupyterlab/application";
import type { INotebookTracker, NotebookPanel } from "@jupyterlab/notebook";
import { NotebookActions } from "@jupyterlab/notebook";
import type { Message } from "@lumino/messaging";
import { Widget } from "@lumino/widgets";
import { render } from "preact";
import type { BoardSummary } from "../../protocol/generated";
import { hasPackage } from "../ask";
import type { BoardsFeed } from "../feed";
import { NewBoard } from "../form/NewBoard";
import { boardIcon } from "../icon";
import type { Settings } from "../settings";
import { Side } from "./Side";
import { type Group, groupsOf, type Here, type Session } from "./state";

export interface SideParts {
  app: JupyterFrontEnd;
  notebooks: INotebookTracker;
  feed: BoardsFeed;
  settings: Settings;
}

export class SideBar extends Widget {
  readonly #parts: SideParts;
  #unfollow: (() => void) | null = null;
  #notebook: NotebookPanel | null = null;
  #here: Here = { kind: "no-notebook" };
  #form: { notebook: NotebookPanel; clean: string; opened: number } | null = null;
  #opened = 0;
  /** The number of the newest question about a kernel. */
  #question = 0;

  constructor(parts: SideParts) {
    super();
    this.#parts = parts;
    this.id = "circuitboard-side";
    this.addClass("cb-lab-side-bar");
    this.title.icon = boardIcon;
    this.title.caption = "Circuitboard: boards and new boards";
    const { app, notebooks } = parts;
    notebooks.currentChanged.connect((_, notebook) => this.#enter(notebook));
    app.serviceManager.sessions.runningChanged.connect(() => this.#draw());
    this.#enter(notebooks.currentWidget);
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.#unfollow ??= this.#parts.feed.follow(() => this.#draw());
    this.#look();
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.#unfollow?.();
    this.#unfollow = null;
  }

  /** Opens the form for a notebook, `clean` in the first prompt. */
  openForm(app: JupyterFrontEnd, notebook: NotebookPanel, clean = ""): void {
    this.#opened += 1;
    this.#form = { notebook, clean, opened: this.#opened };
    app.shell.activateById(this.id);
    this.#draw();
  }

  #enter(notebook: NotebookPanel | null): void {
    if (notebook === this.#notebook) return;
    this.#notebook?.sessionContext.kernelChanged.disconnect(this.#look, this);
    this.#notebook?.sessionContext.statusChanged.disconnect(this.#onStatus, this);
    this.#notebook = notebook;
    notebook?.sessionContext.kernelChanged.connect(this.#look, this);
    notebook?.sessionContext.statusChanged.connect(this.#onStatus, this);
    this.#look();
  }

  #onStatus(_: unknown, status: string): void {
    if (status === "restarting" || status === "autorestarting" || status === "dead") this.#look();
    else if (this.#here.kind === "checking") this.#draw();
  }

  /** Asks the kernel of the notebook in front what it has, if the panel is seen. */
  async #lookAt(notebook: NotebookPanel): Promise<Here> {
    const name = notebook.title.label;
    const kernel = notebook.sessionContext.session?.kernel;
    if (!kernel) return { kind: "no-kernel", name };
    try {
      const { language_info: language } = await kernel.info;
      if (language.name !== "python") return { kind: "no-python", name, language: language.name };
      const answer = await hasPackage(kernel);
      if (answer.kind === "failed") return { kind: "failed", name, words: answer.words };
      return { kind: answer.value ? "ready" : "no-package", name };
    } catch {
      return { kind: "failed", name, words: "it went away before it answered." };
    }
  }

  readonly #look = (): void => {
    this.#question += 1;
    const question = this.#question;
    const notebook = this.#notebook;
    if (notebook === null) {
      this.#here = { kind: "no-notebook" };
      this.#draw();
      return;
    }
    if (!this.isVisible) return;
    this.#here = { kind: "checking", name: notebook.title.label, busy: false };
    this.#draw();
    void this.#lookAt(notebook).then((here) => {
      if (question !== this.#question) return;
      this.#here = here;
      this.#draw();
    });
  };

  #sessions(): Session[] {
    const sessions: Session[] = [];
    for (const session of this.#parts.app.serviceManager.sessions.running()) {
      if (session.kernel) {
        sessions.push({
          path: session.path,
          name: session.path.split("/").pop() ?? session.name,
          kernel: session.kernel.id,
        });
      }
    }
    return sessions;
  }

  #draw(): void {
    if (this.isDisposed || !this.isVisible) return;
    const { feed, settings } = this.#parts;
    const session = this.#notebook?.sessionContext.session ?? null;
    const here: Here =
      this.#here.kind === "checking"
        ? { ...this.#here, busy: session?.kernel?.status === "busy" }
        : this.#here;
    const form = this.#form;
    const kernel = form?.notebook.sessionContext.session?.kernel ?? null;
    if (form !== null && (form.notebook.isDisposed || kernel === null)) this.#form = null;
    render(
      <Side
        here={here}
        listing={feed.listing}
        groups={groupsOf(feed.listing, this.#sessions(), session?.kernel?.id ?? null)}
        form={
          form === null || kernel === null ? null : (
            <NewBoard
              key={`${form.opened}:${kernel.id}`}
              kernel={kernel}
              defaults={settings.values}
              clean={form.clean}
              notebook={form.notebook.title.label}
              runCell={(code) => runCell(form.notebook, code)}
              onClose={() => {
                this.#form = null;
                this.#draw();
              }}
            />
          )
        }
        onNew={() => {
          if (this.#notebook) this.openForm(this.#parts.app, this.#notebook);
        }}
        onRetry={this.#look}
        onOpen={(group, board) => void this.#open(group, board)}
        onCell={(group, board) => void this.#goToCell(group, board)}
      />,
      this.node,
    );
  }

  async #open(group: Group, board: BoardSummary): Promise<void> {
    const { commands } = this.#parts.app;
    await commands.execute("circuitboard:open", { path: group.path, board: board.board });
  }

  async #goToCell(group: Group, board: BoardSummary): Promise<void> {
    const { app, notebooks } = this.#parts;
    await app.commands.execute("docmanager:open", { path: group.path });
    const notebook = notebooks.find(({ context }) => context.path === group.path);
    if (!notebook) return;
    await notebook.context.ready;
    app.shell.activateById(notebook.id);
    const { content } = notebook;
    const index = content.widgets.findIndex((cell) => cell.model.id === board.cell);
    if (index < 0) return;
    content.activeCellIndex = index;
    await content.scrollToItem(index, "smart");
  }
}

/** Puts a cell below the active one, runs it like the user would, and brings it into view. */
async function runCell(notebook: NotebookPanel, code: string): Promise<boolean> {
  const { content, sessionContext } = notebook;
  const last = content.activeCell;
  if (
    last !== null &&
    last.model.type === "code" &&
    last.model.sharedModel.getSource().trim() === ""
  ) {
    last.model.sharedModel.setSource(code);
  } else {
    NotebookActions.insertBelow(content);
    content.activeCell?.model.sharedModel.setSource(code);
  }
  const index = content.activeCellIndex;
  const done = NotebookActions.run(content, sessionContext);
  void content.scrollToItem(index, "smart");
  return await done;
}
