// The host's half of a view's line to a board: asks the kernel for what is new, often while something
// moves and seldom while nothing does, and notices at once when the kernel goes.
import type { Disposable, Uri } from "vscode";
import { type Ask, BRIDGE, type Sent, type Told } from "../../../src/protocol/generated";
import type { Kernel, KernelStatus } from "../jupyter/api";
import { kernelOf, reasonOf } from "../jupyter/kernel";
import type { Missing } from "../jupyter/missing";
import { runFor } from "../jupyter/run";
import { expression } from "./expression";

/** Between two questions: at once after news, then ever longer while there are none (ms). */
export const SOONEST_MS = 40;
export const LATEST_MS = 1_000;
/** The longest pause while an answer is owed (ms). */
export const OWED_MS = 150;
/** Between two attempts to find a kernel or a board (ms). */
export const RETRY_MS = 1_000;
/** A question that takes longer waits behind a cell (ms). */
export const BUSY_MS = 1_000;
/** How long the kernel may hold a question for the first message after a request (s). */
const WAIT_S = 0.1;

const ENDED: readonly KernelStatus[] = ["restarting", "autorestarting", "terminating", "dead"];

export type LineState =
  | { kind: "open"; newest: boolean }
  | { kind: "busy" }
  | { kind: "lost"; status: KernelStatus }
  /** `saved` names the file that the board of before the restart is kept in, if it is. */
  | { kind: "no_board"; restarted: boolean; saved: string }
  | { kind: "missing"; missing: Missing };

export interface LineListener {
  /** The state changed. */
  state(state: LineState): void;
  /** The panel's own JavaScript and style sheet, from the package in the kernel; once. */
  bundle(script: string, style: string): void;
  /** A line to a board is open, so whatever was drawn before is of another one. */
  opened(): void;
  messages(messages: readonly Sent[]): void;
}

class Ended extends Error {}

export class BoardLine {
  readonly #notebook: Uri;
  readonly #listener: LineListener;
  #queue: unknown[] = [];
  #owed = new Set<unknown>();
  #kernel: Kernel | null = null;
  #watching: Disposable | null = null;
  #end: ((ended: Ended) => void) | null = null;
  #wake: (() => void) | null = null;
  #process: string | null = null;
  #saved = "";
  #bundled = false;
  #visible = true;
  #again = false;
  #ended = false;
  #disposed = false;
  #said = "";

  constructor(notebook: Uri, listener: LineListener) {
    this.#notebook = notebook;
    this.#listener = listener;
  }

  /** A request of the view. */
  send(content: unknown): void {
    this.#queue.push(content);
    this.#wake?.();
  }

  /** A view that cannot be seen asks nothing. */
  show(visible: boolean): void {
    this.#visible = visible;
    if (visible) this.#wake?.();
  }

  /** Turn to the newest board of the kernel. */
  turnToNewest(): void {
    this.#again = true;
    this.#wake?.();
  }

  dispose(): void {
    this.#disposed = true;
    this.#watching?.dispose();
    // What is being asked is awaited, so that the line is taken off in the kernel too.
    this.#wake?.();
  }

  /** Runs until the line is disposed of. */
  async run(): Promise<void> {
    while (!this.#disposed) {
      try {
        const kernel = await kernelOf(this.#notebook);
        if (this.#disposed) return;
        if (kernel.ok) {
          this.#watch(kernel.value);
          await this.#talk(kernel.value);
        } else {
          this.#say({ kind: "missing", missing: kernel.missing });
        }
      } catch (error) {
        if (!(error instanceof Ended)) this.#say({ kind: "missing", missing: reasonOf(error) });
      }
      if (!this.#again) await this.#pause(RETRY_MS);
    }
  }

  /** From attaching to a board until it, the line or the kernel is gone. */
  async #talk(kernel: Kernel): Promise<void> {
    if (ENDED.includes(kernel.status)) {
      this.#say({ kind: "lost", status: kernel.status });
      return;
    }
    this.#again = false;
    this.#ended = false;
    const attached = await this.#ask(kernel, { what: "attach" });
    if (attached.state !== "open" || attached.line === undefined) {
      const restarted = this.#process !== null && this.#process !== attached.process;
      this.#say({ kind: "no_board", restarted, saved: restarted ? this.#saved : "" });
      return;
    }
    this.#process = attached.process;
    if (!this.#bundled) {
      const { script = "", style = "" } = await this.#ask(kernel, { what: "bundle" });
      this.#bundled = true;
      this.#listener.bundle(script, style);
    }
    this.#queue = [];
    this.#owed.clear();
    this.#listener.opened();
    await this.#exchange(kernel, attached.line);
  }

  async #exchange(kernel: Kernel, line: string): Promise<void> {
    let since = 0;
    let pause = SOONEST_MS;
    for (;;) {
      if (this.#ended) return;
      if (this.#disposed || this.#again) {
        await this.#ask(kernel, { what: "detach", line });
        return;
      }
      const requests = this.#queue;
      this.#queue = [];
      for (const request of requests) this.#owed.add((request as { id?: unknown }).id);
      const wait_s = requests.length > 0 ? WAIT_S : 0;
      const reply = await this.#ask(kernel, { what: "exchange", line, since, wait_s, requests });
      if (reply.state !== "open") return;
      this.#say({ kind: "open", newest: reply.newest ?? true });
      this.#saved = reply.saved ?? "";
      const messages = reply.messages ?? [];
      since = messages.at(-1)?.number ?? since;
      for (const { content } of messages) this.#owed.delete(content.id);
      if (messages.length > 0) this.#listener.messages(messages);
      pause = messages.length > 0 ? SOONEST_MS : Math.min(pause * 1.6, LATEST_MS);
      if (this.#queue.length === 0) {
        await this.#pause(this.#owed.size > 0 ? Math.min(pause, OWED_MS) : pause);
      }
      while (!this.#visible && this.#queue.length === 0 && !this.#stopped) {
        await this.#pause(LATEST_MS);
      }
    }
  }

  async #ask(kernel: Kernel, ask: Ask): Promise<Told> {
    const busy = setTimeout(() => this.#say({ kind: "busy" }), BUSY_MS);
    const ended = new Promise<never>((_resolve, reject) => {
      this.#end = reject;
    });
    try {
      return (await Promise.race([runFor(kernel, expression(ask), BRIDGE), ended])) as Told;
    } finally {
      clearTimeout(busy);
      this.#end = null;
    }
  }

  #watch(kernel: Kernel): void {
    if (kernel === this.#kernel) return;
    this.#kernel = kernel;
    this.#watching?.dispose();
    this.#watching = kernel.onDidChangeStatus((status) => {
      if (!ENDED.includes(status)) return;
      this.#say({ kind: "lost", status });
      this.#ended = true;
      this.#end?.(new Ended());
      this.#wake?.();
    });
  }

  get #stopped(): boolean {
    return this.#disposed || this.#again || this.#ended;
  }

  #say(state: LineState): void {
    const words = JSON.stringify(state);
    if (words === this.#said || this.#disposed) return;
    this.#said = words;
    this.#listener.state(state);
  }

  #pause(ms: number): Promise<void> {
    if (this.#disposed) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#wake?.(), ms);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = null;
        resolve();
      };
    });
  }
}
