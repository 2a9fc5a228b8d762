// A kernel that plays what the real session said: the conversations in tests/protocol/conversations/.
//
// A recording is a tree. Its root is what a view hears that says hello; each step leads to the node of what was said
// to that step after the ones before it; what is only read is answered at a node. A request is looked up by all that
// it holds but its id. What was not asked when it was recorded throws: nothing is made up here.
// `.venv/bin/python -m tests.protocol.record` has the tests ask the real session. A state that no kernel can be brought
// into is a recorded message with a change (`alter`, see altered.ts).
import type { Channel } from "../src/protocol/connection";
import type { AnyRequest, MapEvent, Setup, Snapshot, View } from "../src/protocol/generated";
import { Listeners } from "./listeners";
import { type Ask, isRead, keyOf, type Recording, refuse, type Said } from "./recording";

/** A message as it is about to be sent. */
export interface Message {
  content: Said["content"];
  buffers: DataView[];
}
export type Alter = (message: Message) => Message;

export const AS_RECORDED: Alter = (message) => message;

const EVENTS: ReadonlySet<string> = new Set(["snapshot", "map"]);
export class Player extends Listeners implements Channel {
  readonly received: AnyRequest[] = [];
  /** Requests of these kinds are never answered. */
  readonly mute: Set<string>;
  /** What is made of each message before it is sent. */
  alter: Alter = AS_RECORDED;
  seq = 0;
  #at: Recording;
  readonly #steps: string[] = [];
  readonly #drags: string[] = [];
  readonly #last = new Map<string, Said>();
  readonly #ask: Ask;

  constructor(recording: Recording, mute: Iterable<string> = [], ask: Ask = refuse) {
    super();
    this.#at = recording;
    this.mute = new Set(mute);
    this.#ask = ask;
    for (const said of recording.said) this.#last.set(said.content.kind, said);
    this.#last.set("snapshot", {
      content: { ...this.#of("welcome"), kind: "snapshot" },
      buffers: [],
    });
  }

  get setup(): Setup {
    return this.#of("welcome").setup as Setup;
  }

  get snapshot(): Snapshot {
    return this.#of("snapshot").snapshot as Snapshot;
  }

  get map(): MapEvent {
    return this.#of("map") as unknown as MapEvent;
  }

  get view(): View {
    return this.snapshot.view;
  }

  /** Send the last state or map again; from now on with this change. */
  again(kind: "snapshot" | "map", alter: Alter = this.alter): void {
    this.alter = alter;
    const { content, buffers } = this.#said(kind);
    this.#play({ content: kind === "map" ? content : { ...content, setup: null }, buffers });
  }

  send(asked: unknown): void {
    const request = asked as AnyRequest;
    this.received.push(request);
    if (this.mute.has(request.kind)) return;
    const { id } = request;
    if (request.kind !== "hello") {
      for (const said of this.#answersTo(request)) this.#play(said, id);
      return;
    }
    const content = { ...this.#of("welcome"), snapshot: this.snapshot };
    this.#play({ content, buffers: [] }, id);
    if (this.#last.has("map")) this.again("map");
  }

  #answersTo({ id: _, ...body }: AnyRequest): Said[] {
    const steps = [...this.#steps];
    const key = keyOf(body, this.#drags);
    const { answers = {}, steps: nodes = {} } = this.#at;
    if (isRead(body.kind)) {
      answers[key] ??= this.#ask(steps, key, false);
      Object.assign(this.#at, { answers });
      return answers[key];
    }
    const node = nodes[key] ?? { said: this.#ask(steps, key, true) };
    Object.assign(this.#at, { steps: { ...nodes, [key]: node } });
    this.#at = node;
    this.#steps.push(key);
    return node.said;
  }

  #said(kind: string): Said {
    const said = this.#last.get(kind);
    if (said === undefined) throw new Error(`there was no ${kind}`);
    return said;
  }

  #of(kind: string): Said["content"] {
    return this.#said(kind).content;
  }

  #play(said: Said, id?: string): void {
    const { kind, setup } = said.content;
    const isEvent = EVENTS.has(kind);
    if (isEvent) this.#last.set(kind, said);
    if (kind === "snapshot" && setup)
      this.#last.set("welcome", { content: { ...this.#of("welcome"), setup }, buffers: [] });
    if (isEvent) this.seq += 1;
    const number = isEvent
      ? { seq: this.seq }
      : { id, ...(kind === "welcome" && { seq: this.seq }) };
    const buffers = said.buffers.map(
      (text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer),
    );
    const { content, buffers: sent } = this.alter({ content: said.content, buffers });
    this.post({ ...content, ...number }, sent);
  }
}
