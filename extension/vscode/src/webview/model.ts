// What the panel's bundle takes for anywidget's model. Its messages go through the extension.
import type { Sent } from "../../../src/protocol/generated";

// biome-ignore lint/suspicious/noExplicitAny: the callbacks take what the protocol's decoder checks.
type Callback = (...given: any[]) => void;

function bytes(text: string): DataView {
  return new DataView(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
}

export class Model {
  readonly #send: (content: unknown) => void;
  readonly #state = new Map<string, unknown>();
  readonly #listeners = new Map<string, Set<Callback>>();

  constructor(send: (content: unknown) => void) {
    this.#send = send;
  }

  get(name: string): unknown {
    return this.#state.get(name);
  }

  set(name: string, value: unknown): void {
    this.#state.set(name, value);
  }

  save_changes(): void {}

  send(content: unknown): void {
    this.#send(content);
  }

  on(name: string, callback: Callback): void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(callback));
  }

  off(name?: string | null, callback?: Callback | null): void {
    for (const [known, listeners] of this.#listeners) {
      if (name != null && known !== name) continue;
      if (callback == null) listeners.clear();
      else listeners.delete(callback);
    }
  }

  /** A message of the kernel. */
  receive({ content, buffers }: Sent): void {
    this.#emit("msg:custom", content, buffers.map(bytes));
  }

  /** The board cannot be reached any more. */
  close(): void {
    this.#emit("comm:close");
  }

  #emit(name: string, ...given: unknown[]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) listener(...given);
  }
}
