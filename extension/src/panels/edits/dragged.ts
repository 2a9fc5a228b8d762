// The strengths that a slider passes through: one at a time, the newest next, all one step of the history.
import type { Store } from "../../store/store";

/** Wait until the snapshot of a revision is drawn; false if the line is lost before. */
function drawn(store: Store, revision: number): Promise<boolean> {
  const answer = (): boolean | null => {
    const { snapshot, connected } = store.state();
    if (!connected) return false;
    return (snapshot?.revision ?? -1) >= revision ? true : null;
  };
  return new Promise((resolve) => {
    const first = answer();
    if (first !== null) return resolve(first);
    const leave = store.subscribe(() => {
      const now = answer();
      if (now === null) return;
      leave();
      resolve(now);
    });
  });
}

/** Send one strength; true once its numbers are drawn, false if the drag cannot go on. */
export async function dragged(
  store: Store,
  wanted: { index: number; strength: number; drag: string },
): Promise<boolean> {
  const { connected, snapshot } = store.state();
  if (!connected || snapshot === null) return false;
  const body = { kind: "set_strength", revision: snapshot.revision, ...wanted } as const;
  const answer = await store.request(body);
  return answer.kind === "done" ? drawn(store, answer.revision) : false;
}

/**
 * A drag: strengths that are wanted, sent one after the other. What is wanted while one is under way waits, and
 * only the newest of it is sent.
 */
export class Drag {
  readonly #send: (strength: number) => Promise<boolean>;
  readonly #ended: () => void;
  #wanted: number | null = null;
  #sending = false;
  #released = false;

  /** `ended` is called once the drag is released and its last strength is drawn, or when it cannot go on. */
  constructor(send: (strength: number) => Promise<boolean>, ended: () => void) {
    this.#send = send;
    this.#ended = ended;
  }

  want(strength: number): void {
    this.#wanted = strength;
    void this.#pump();
  }

  release(): void {
    this.#released = true;
    void this.#pump();
  }

  async #pump(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    while (this.#wanted !== null) {
      const next = this.#wanted;
      this.#wanted = null;
      if (!(await this.#send(next))) {
        this.#wanted = null;
        this.#released = true;
      }
    }
    this.#sending = false;
    if (this.#released) this.#ended();
  }
}
