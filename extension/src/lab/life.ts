// Whether the process that a notebook's boards live in is still there, as soon as that can be known: by the
// kernel's own status, by the connection, and by the server's list of live boards, which sees a process
// that was killed before Jupyter does.
import type { NotebookPanel } from "@jupyterlab/notebook";
import type { Kernel } from "@jupyterlab/services";
import type { BoardsFeed } from "./feed";

/** `away` is a connection that is being made again: the process may well live. */
export type Life = "alive" | "away" | "restarted" | "killed" | "none";

export class KernelLife {
  readonly #notebook: NotebookPanel;
  readonly #feed: BoardsFeed;
  readonly #listeners = new Set<(life: Life) => void>();
  #life: Life = "none";
  #ends = 0;
  #lastEnd: Life = "none";
  #unfollow: (() => void) | null = null;

  constructor(notebook: NotebookPanel, feed: BoardsFeed) {
    this.#notebook = notebook;
    this.#feed = feed;
    const context = notebook.sessionContext;
    this.#life = context.session?.kernel ? "alive" : "none";
    context.statusChanged.connect(this.#onStatus, this);
    context.connectionStatusChanged.connect(this.#onConnection, this);
    context.kernelChanged.connect(this.#onKernel, this);
    notebook.disposed.connect(() => this.#unfollow?.());
  }

  get now(): Life {
    return this.#life;
  }

  /** How many processes have ended so far, and how the last one did. */
  get ends(): { count: number; last: Life } {
    return { count: this.#ends, last: this.#lastEnd };
  }

  /** Calls `listener` with each change until the function returned is called. */
  follow(listener: (life: Life) => void): () => void {
    this.#listeners.add(listener);
    this.#unfollow ??= this.#feed.follow(() => this.#onList());
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) {
        this.#unfollow?.();
        this.#unfollow = null;
      }
    };
  }

  #onStatus(_: unknown, status: Kernel.Status): void {
    if (status === "restarting") this.#become("restarted");
    else if (status === "autorestarting") this.#become("killed");
    else if (status === "dead") this.#become("killed");
    else if (status === "terminating") this.#become("none");
  }

  #onConnection(_: unknown, status: Kernel.ConnectionStatus): void {
    if (status === "connected") {
      if (this.#life === "away") this.#become("alive");
    } else if (this.#life === "alive") {
      this.#become(this.#notebook.sessionContext.session?.kernel ? "away" : "none");
    }
  }

  #onKernel(_: unknown, change: { oldValue: unknown; newValue: unknown }): void {
    if (!change.newValue) this.#become("none");
    else if (change.oldValue) this.#become("restarted");
    else this.#become("alive");
  }

  #onList(): void {
    const listed = this.#feed.of(this.#notebook.sessionContext.session?.kernel?.id);
    if (listed === null) return;
    if (listed.boards.length > 0) {
      if (this.#life === "restarted" || this.#life === "killed") this.#become("alive");
    } else if (listed.lost > 0 && this.#life === "alive") {
      this.#become("killed");
    }
  }

  #become(life: Life): void {
    if (life === this.#life) return;
    this.#life = life;
    if (life !== "alive" && life !== "away") {
      this.#ends += 1;
      this.#lastEnd = life;
    }
    for (const listener of [...this.#listeners]) listener(life);
  }
}
