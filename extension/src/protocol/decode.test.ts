// The golden files that pytest reads too: what Python encodes is what the panel decodes.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  decode,
  type EffectMap,
  ESTIMATED,
  EXACT,
  type Incoming,
  type ReadDetail,
  real,
} from "./decode";
import type { AnyRequest } from "./generated";

const FOLDER = join(__dirname, "../../../tests/protocol/golden");
/** Which golden files are requests, all of them: one that is missing here fails to compile. */
const REQUESTS: Record<AnyRequest["kind"], true> = {
  hello: true,
  click: true,
  remove: true,
  toggle: true,
  set_strength: true,
  move: true,
  apply: true,
  undo: true,
  redo: true,
  clear: true,
  set_base: true,
  set_view: true,
  cancel_map: true,
  resume_map: true,
  verify: true,
  copy_code: true,
  restore: true,
  detail: true,
  trace: true,
  readers: true,
  export: true,
  save: true,
  group: true,
  rename: true,
  note: true,
  compare: true,
  refresh: true,
};
const isRequest = (name: string): boolean => name in REQUESTS;

function golden(name: string): Incoming | null {
  const file = JSON.parse(readFileSync(join(FOLDER, `${name}.json`), "utf8")) as {
    content: unknown;
    buffers: string[];
  };
  // As a kernel's buffers arrive: views that begin anywhere in a longer frame.
  const buffers = file.buffers.map((text) => {
    const bytes = Buffer.from(text, "base64");
    const frame = new Uint8Array(bytes.length + 3);
    frame.set(bytes, 3);
    return new DataView(frame.buffer, 3);
  });
  return decode(file.content, buffers);
}

const NAMES = readdirSync(FOLDER).map((name) => name.replace(".json", ""));

describe("golden files", () => {
  it.each(NAMES.filter((name) => !isRequest(name)))("%s is decoded as itself", (name) => {
    expect(golden(name)?.kind).toBe(name);
  });

  it.each(NAMES.filter((name) => isRequest(name)))("%s, a request, is not for a panel", (name) => {
    expect(golden(name)).toBeNull();
  });

  it("reads a map's buffers, not-a-number and all", () => {
    const map = golden("map") as EffectMap;
    expect([...map.effect]).toEqual([0.25, -0.5, 0, Number.NaN, Number.POSITIVE_INFINITY, -1.75]);
    expect([...map.known]).toEqual([EXACT, EXACT, ESTIMATED, EXACT, EXACT, 0]);
    expect([...(map.stderr ?? [])].slice(0, 3)).toEqual([0.125, 0, Number.NaN]);
    expect(map.shape).toEqual([2, 3]);
  });

  it("reads both attention patterns of a detail", () => {
    const { attention, patterns } = golden("detailed") as ReadDetail;
    const [rows = 0, columns = 0] = attention?.shape ?? [];
    expect(patterns?.current).toHaveLength(rows * columns);
    expect(patterns?.base).toHaveLength(rows * columns);
    expect([...(patterns?.current ?? [])].every((x) => x >= 0 && x <= 1)).toBe(true);
  });

  it("reads numbers that JSON has no word for", () => {
    const message = golden("snapshot");
    if (message?.kind !== "snapshot") throw new Error("not a snapshot");
    const { metric, top_tokens } = message.snapshot;
    expect(real(metric.value)).toBe(1.5);
    expect(metric.change === null || real(metric.change)).toBeNaN();
    expect(metric.baselines.corrupted && real(metric.baselines.corrupted)).toBe(
      Number.NEGATIVE_INFINITY,
    );
    expect(top_tokens.rows[0] && real(top_tokens.rows[0].base_logit)).toBe(
      Number.POSITIVE_INFINITY,
    );
  });
});

describe("what is no message", () => {
  it.each([
    ["nothing", undefined],
    ["null", null],
    ["a string", "snapshot"],
    ["a list", [1]],
    ["an unknown kind", { kind: "surprise", seq: 1 }],
    ["an answer without an id", { kind: "done", revision: 1 }],
    ["an event without a number", { kind: "busy", what: "x" }],
    ["a snapshot without one", { kind: "snapshot", seq: 1 }],
    ["a map without buffers", { kind: "map", seq: 1, shape: [2, 3] }],
  ])("%s is ignored", (_, content) => {
    expect(decode(content)).toBeNull();
  });

  it("a map of neurons needs to say which neuron each cell is", () => {
    const content = { kind: "map", seq: 1, over: "neuron", shape: [1, 2] };
    const named = { ...content, buffers: ["effect", "known", "index"] };
    const buffers = [8, 2, 8].map((size) => new DataView(new ArrayBuffer(size)));
    expect(decode({ ...content, buffers: ["effect", "known"] }, buffers.slice(0, 2))).toBeNull();
    expect((decode(named, buffers) as EffectMap).index).toEqual(new Int32Array(2));
    expect(decode(named, buffers.slice(0, 2))).toBeNull();
  });

  it("a detail whose patterns do not fit their shape is ignored", () => {
    const content = { kind: "detailed", id: "a", attention: { shape: [2, 2] } };
    const buffers = [16, 12].map((size) => new DataView(new ArrayBuffer(size)));
    expect(decode(content, buffers)).toBeNull();
    expect(decode({ ...content, id: 1 }, buffers)).toBeNull();
  });

  it("a map whose buffers do not fit its shape is ignored", () => {
    const buffers = [new DataView(new ArrayBuffer(20)), new DataView(new ArrayBuffer(6))];
    const content = { kind: "map", seq: 1, shape: [2, 3], buffers: ["effect", "known"] };
    expect(decode(content, buffers)).toBeNull();
    expect(decode({ ...content, buffers: ["effect", "surprise"] }, buffers)).toBeNull();
  });
});
