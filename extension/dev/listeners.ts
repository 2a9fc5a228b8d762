// What a stand-in for a kernel says to the views that listen to it, as a widget's model does.

// biome-ignore lint/suspicious/noExplicitAny: a channel carries anything.
type Listener = (...args: any[]) => void;

export class Listeners {
  readonly #listeners = new Map<string, Set<Listener>>();

  on(name: string, callback: Listener): void {
    const set = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, set.add(callback));
  }

  off(name: string, callback: Listener): void {
    this.#listeners.get(name)?.delete(callback);
  }

  listening(): number {
    return [...this.#listeners.values()].reduce((n, set) => n + set.size, 0);
  }

  /** Let every view hear something. */
  emit(name: string, ...args: unknown[]): void {
    for (const listener of this.#listeners.get(name) ?? []) listener(...args);
  }

  post(content: object, buffers: DataView[] = []): void {
    this.emit("msg:custom", JSON.parse(JSON.stringify(content)), buffers);
  }
}
