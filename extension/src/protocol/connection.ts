// One view's line to the kernel: request ids, exactly one settlement a request, event numbers
// without gaps, and the moment when silence means that nobody is there.
import { type Answer, decode } from "./decode";
import type { AnyRequest, BusyEvent, SnapshotEvent, Welcome } from "./generated";
import type { EffectMap, MapChange } from "./map";

/** Silence of the kernel, while it owes an answer, after which the panel says so (ms). */
export const SILENCE_MS = 10_000;
/** The same once the kernel has said that it computes something long (ms). */
export const SILENCE_BUSY_MS = 60_000;

/** The part of anywidget's model that is used. */
export interface Channel {
  send(content: unknown): void;
  // biome-ignore lint/suspicious/noExplicitAny: what arrives is checked when it is decoded.
  on(name: string, callback: (...args: any[]) => void): void;
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  off(name: string, callback: (...args: any[]) => void): void;
}

type WithoutId<T> = T extends unknown ? Omit<T, "id"> : never;
/** A request as a panel makes it; the connection adds the id. */
export type RequestBody = WithoutId<AnyRequest>;

/** The kernel went away, or the view was closed, before it answered. */
export interface Lost {
  kind: "lost";
  id: string;
}
export type Settlement = Answer | Lost;

export interface ConnectionListener {
  /** A request was sent. */
  sent(id: string, body: RequestBody): void;
  /** A request of this view came to its one end. */
  settled(id: string, body: RequestBody, settlement: Settlement): void;
  /** Everything afresh, after a `Hello`. */
  welcome(message: Welcome): void;
  /** An event, never older than the last one. */
  event(message: SnapshotEvent | BusyEvent | EffectMap | MapChange): void;
  /** A request failed, here or in another view: a step that was being computed is over. */
  failedAnywhere(): void;
  /** The kernel fell silent, or was heard again. */
  /** `gone`: the kernel itself closed the line, because it has the board no more. */
  connected(now: boolean, gone?: boolean): void;
}

interface Waiting {
  body: RequestBody;
  /** Its answer may take as long as it likes: silence about it says nothing of the kernel. */
  patient: boolean;
  resolve(settlement: Settlement): void;
}

function randomPrefix(): string {
  const words = crypto.getRandomValues(new Uint32Array(2));
  return [...words].map((word) => word.toString(36)).join("");
}

export class Connection {
  readonly #channel: Channel;
  readonly #listener: ConnectionListener;
  readonly #prefix = randomPrefix();
  readonly #waiting = new Map<string, Waiting>();
  #count = 0;
  #lastSeq: number | null = null;
  #helloInFlight = false;
  #trustAnyWelcome = false;
  #connected = true;
  #busy = false;
  #closed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(channel: Channel, listener: ConnectionListener) {
    this.#channel = channel;
    this.#listener = listener;
    channel.on("msg:custom", this.#onMessage);
    channel.on("comm:close", this.#onClose);
    channel.on("comm_live_update", this.#onLiveUpdate);
  }

  /** Ask for everything, unless that has been asked already. */
  hello(): void {
    if (this.#helloInFlight || this.#closed) return;
    this.#helloInFlight = true;
    void this.request({ kind: "hello" });
  }

  /** Send a request. The promise resolves exactly once and never rejects. */
  request(body: RequestBody, manner: "prompt" | "patient" = "prompt"): Promise<Settlement> {
    this.#count += 1;
    const id = `${this.#prefix}-${this.#count}`;
    return new Promise((resolve) => {
      this.#waiting.set(id, { body, patient: manner === "patient", resolve });
      this.#listener.sent(id, body);
      try {
        this.#channel.send({ ...body, id });
        this.#watch(false);
      } catch {
        // The comm is closed: nothing will ever answer.
        this.#lose();
      }
    });
  }

  /** Believe the host that the kernel is gone, or ask it for everything once it is there again. */
  kernel(alive: boolean): void {
    if (this.#closed) return;
    if (alive) this.hello();
    else this.#lose();
  }

  /** Stop listening; what is still waited for is lost. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#channel.off("msg:custom", this.#onMessage);
    this.#channel.off("comm:close", this.#onClose);
    this.#channel.off("comm_live_update", this.#onLiveUpdate);
    for (const id of [...this.#waiting.keys()]) this.#settle(id, { kind: "lost", id });
  }

  readonly #onMessage = (
    content: unknown,
    buffers?: readonly (ArrayBufferView | ArrayBuffer)[],
  ): void => {
    const message = decode(content, buffers ?? []);
    if (message === null || this.#closed) return;
    this.#heard();
    if ("seq" in message && message.kind !== "welcome") {
      this.#onEvent(message);
    } else {
      this.#onAnswer(message);
    }
    this.#watch(true);
  };

  readonly #onClose = (): void => {
    this.#lose(true);
  };

  // JupyterLab marks models when their kernel goes and when it is back, without saying which of the
  // two: believe the worst and ask.
  readonly #onLiveUpdate = (): void => {
    this.#lose();
    this.hello();
  };

  #onEvent(message: SnapshotEvent | BusyEvent | EffectMap | MapChange): void {
    if (this.#lastSeq === null || message.seq <= this.#lastSeq) return;
    // Snapshots are whole, so one after a gap may be drawn, and a map's change names the event that it
    // adds to; what was lost is asked for.
    const gap = message.seq !== this.#lastSeq + 1;
    this.#lastSeq = message.seq;
    this.#busy = message.kind === "busy" || (this.#busy && message.kind !== "snapshot");
    this.#listener.event(message);
    if (gap) this.hello();
  }

  #onAnswer(message: Answer): void {
    if (message.kind === "failed") {
      this.#busy = false;
      this.#listener.failedAnywhere();
    }
    if (!this.#waiting.has(message.id)) return;
    if (message.kind === "welcome") this.#onWelcome(message);
    else if (this.#waiting.get(message.id)?.body.kind === "hello") this.#helloInFlight = false;
    this.#settle(message.id, message);
  }

  #onWelcome(message: Welcome): void {
    this.#helloInFlight = false;
    // Older than what is drawn: overtaken on the way, so ask once more; if the numbers are still
    // lower, the kernel counts afresh.
    if (this.#lastSeq !== null && message.seq < this.#lastSeq && !this.#trustAnyWelcome) {
      this.#trustAnyWelcome = true;
      this.hello();
      return;
    }
    this.#trustAnyWelcome = false;
    this.#lastSeq = message.seq;
    this.#listener.welcome(message);
  }

  #settle(id: string, settlement: Settlement): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    this.#listener.settled(id, waiting.body, settlement);
    waiting.resolve(settlement);
  }

  #heard(): void {
    if (this.#connected) return;
    this.#connected = true;
    this.#listener.connected(true);
    this.hello();
  }

  #lose(gone = false): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#helloInFlight = false;
    this.#busy = false;
    if (this.#connected) {
      this.#connected = false;
      if (gone) this.#listener.connected(false, true);
      else this.#listener.connected(false);
    }
    for (const id of [...this.#waiting.keys()]) this.#settle(id, { kind: "lost", id });
  }

  #watch(restart: boolean): void {
    if (this.#timer !== undefined && !restart) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (![...this.#waiting.values()].some(({ patient }) => !patient)) return;
    this.#timer = setTimeout(() => this.#lose(), this.#busy ? SILENCE_BUSY_MS : SILENCE_MS);
  }
}
