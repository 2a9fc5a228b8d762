import { describe, expect, it } from "vitest";
import { recorded } from "../../dev/recorded";
import type { Settlement } from "../protocol/connection";
import { decode, type EffectMap, type Incoming } from "../protocol/decode";
import type { Kept } from "./look";
import { type Action, reduce } from "./reducer";
import { type BoardState, INITIAL, isStale, phase, shownView } from "./state";

const kernel = recorded("pair");
const run = (state: BoardState, ...actions: Action[]): BoardState => actions.reduce(reduce, state);

function welcomed(): BoardState {
  const message = {
    kind: "welcome" as const,
    id: "a",
    seq: 0,
    setup: kernel.setup,
    snapshot: kernel.snapshot,
  };
  return reduce(INITIAL, { type: "welcome", message });
}

function snapshot(revision: number, change: object = {}): Action {
  const message = { ...kernel.snapshot, revision, ...change };
  return { type: "event", message: { kind: "snapshot", seq: 1, snapshot: message, setup: null } };
}

function map(change: Partial<EffectMap> = {}): EffectMap {
  let sent: Incoming | null = null;
  const fake = recorded("pair");
  fake.on("msg:custom", (content: unknown, buffers: DataView[]) => {
    sent = decode(content, buffers);
  });
  fake.again("map");
  return { ...(sent as unknown as EffectMap), ...change };
}

const click = { kind: "click", site: "9.9", positions: null } as const;
const error = { code: "out_of_memory", message: "no room", where: null };

describe("phases", () => {
  it("go from running to idle with the welcome", () => {
    expect(phase(INITIAL)).toBe("running");
    expect(phase(welcomed())).toBe("idle");
  });

  it("are running while a click is out or a map fills in, and disconnected before all", () => {
    const clicked = reduce(welcomed(), { type: "sent", id: "1", body: click });
    expect(phase(clicked)).toBe("running");
    const filling = reduce(welcomed(), { type: "event", message: map({ status: "computing" }) });
    expect(phase(filling)).toBe("running");
    expect(phase(reduce(filling, { type: "connected", now: false, gone: false, at: 1 }))).toBe(
      "disconnected",
    );
  });
});

describe("a click", () => {
  const sent = reduce(welcomed(), { type: "sent", id: "1", body: click });

  it("is marked at once and until its numbers are drawn", () => {
    expect(sent.clicks).toHaveLength(1);
    const settlement = { kind: "done", id: "1", revision: 1 } as const;
    const answered = reduce(sent, { type: "settled", id: "1", body: click, settlement });
    expect(answered.clicks).toHaveLength(1);
    expect(reduce(answered, snapshot(1)).clicks).toHaveLength(0);
  });

  it("is not marked any more when its numbers came before the answer", () => {
    const settlement = { kind: "done", id: "1", revision: 1 } as const;
    const state = run(sent, snapshot(1), { type: "settled", id: "1", body: click, settlement });
    expect(state.clicks).toHaveLength(0);
    expect(phase(state)).toBe("idle");
  });

  it("that fails says why and leaves the board", () => {
    const settlement = { kind: "failed", id: "1", error } as const;
    const state = reduce(sent, { type: "settled", id: "1", body: click, settlement });
    expect(state.clicks).toHaveLength(0);
    expect(state.trouble).toEqual({ title: "9.9 was not edited.", error, again: click });
    expect(state.snapshot).toBe(sent.snapshot);
    expect(phase(state)).toBe("error");
    expect(phase(reduce(state, { type: "dismiss" }))).toBe("idle");
    expect(reduce(state, snapshot(1)).trouble).toBeNull();
  });

  it("that is overtaken is marked until the newer one's numbers come", () => {
    const two = reduce(sent, { type: "sent", id: "2", body: { ...click, site: "9.6" } });
    const settlement = { kind: "superseded", id: "1" } as const;
    const overtaken = reduce(two, { type: "settled", id: "1", body: click, settlement });
    expect(overtaken.clicks.map(({ id }) => id)).toEqual(["1", "2"]);
    expect(reduce(overtaken, snapshot(2)).clicks.map(({ id }) => id)).toEqual(["2"]);
  });

  it("that is lost with the kernel leaves no mark", () => {
    const settlement = { kind: "lost", id: "1" } as const;
    const state = reduce(sent, { type: "settled", id: "1", body: click, settlement });
    expect([state.clicks, state.inFlight]).toEqual([[], []]);
  });
});

describe("a change of the view", () => {
  const body = { kind: "set_view", mode: "patch" } as const;
  const sent = reduce(welcomed(), { type: "sent", id: "1", body });

  it("is drawn at once", () => {
    expect(shownView(sent)?.mode).toBe("patch");
  });

  it("does not flicker back when an older snapshot or the answer comes first", () => {
    const settlement = { kind: "done", id: "1", revision: 0 } as const;
    const state = run(sent, snapshot(0), { type: "settled", id: "1", body, settlement });
    expect(shownView(state)?.mode).toBe("patch");
    const view = { ...kernel.view, mode: "patch" };
    expect(reduce(state, snapshot(0, { view })).views).toHaveLength(0);
  });

  it("is taken back when it is refused", () => {
    const settlement = { kind: "failed", id: "1", error } as const;
    const state = reduce(sent, { type: "settled", id: "1", body, settlement });
    expect(shownView(state)?.mode).toBe("zero");
  });

  const CHANGED = {
    mode: "patch",
    positions: [3, 5],
    map: "neuron",
    prompt: 2,
    map_layer: 4,
    live: false,
    colours: "green-pink",
  } as const;
  it.each(Object.keys(CHANGED) as (keyof typeof CHANGED)[])(
    "of %s is confirmed by a snapshot that has it, and by no other",
    (key) => {
      const before = kernel.view;
      expect(Object.keys(before).sort()).toEqual(Object.keys(CHANGED).sort());
      const patch = { kind: "set_view", [key]: CHANGED[key] } as const;
      const asked = reduce(welcomed(), { type: "sent", id: "1", body: patch });
      const settlement = { kind: "done", id: "1", revision: 0 } as const;
      const answer = { type: "settled", id: "1", body: patch, settlement } as const;
      const others = reduce(asked, snapshot(0, { view: { ...CHANGED, [key]: before[key] } }));
      expect(others.views).toHaveLength(1);
      expect(shownView(others)?.[key]).toEqual(CHANGED[key]);
      expect(reduce(others, answer).views).toHaveLength(1);
      const own = snapshot(0, { view: { ...before, [key]: CHANGED[key] } });
      expect(reduce(asked, own).views).toHaveLength(0);
    },
  );
});

describe("maps", () => {
  it("are stale when they belong to another state or answer another question", () => {
    const state = reduce(welcomed(), { type: "event", message: map() });
    const { snapshot: now, maps } = state;
    const view = shownView(state);
    if (now === null || view === null || maps.head === undefined) throw new Error("nothing drawn");
    expect(isStale(maps.head, now, view)).toBe(false);
    expect(isStale(maps.head, { ...now, revision: 5 }, view)).toBe(true);
    expect(isStale(maps.head, now, { ...view, mode: "patch" })).toBe(true);
    expect(isStale(maps.head, now, { ...view, positions: [3] })).toBe(true);
  });

  it("keep showing what a cell was until it is computed anew", () => {
    const first = map();
    const blank = map({ map_id: 2, status: "computing", known: new Uint8Array(144) });
    const half = map({ map_id: 2, status: "computing", known: new Uint8Array(144).fill(1, 0, 72) });
    const event = (message: EffectMap): Action => ({ type: "event", message });
    const state = run(welcomed(), event(first), event(blank), event(half));
    expect(state.maps.head?.before).toEqual(first.effect);
    const other = map({ map_id: 3, how: "patch", known: new Uint8Array(144) });
    expect(reduce(state, event(other)).maps.head?.before).toBeNull();
  });

  it("keep nothing of a cell where another neuron stands now", () => {
    const neurons = (map_id: number, index: number[], known: number[]): EffectMap =>
      map({
        over: "neuron",
        map_id,
        status: map_id === 0 ? "done" : "computing",
        shape: [2, 3],
        effect: Float32Array.from(index, (neuron) => neuron + map_id / 8),
        index: Int32Array.from(index),
        known: Uint8Array.from(known),
      });
    const event = (message: EffectMap): Action => ({ type: "event", message });
    const first = neurons(0, [3, 4, 5, 16, 17, 18], [1, 1, 0, 1, 1, 1]);
    const state = run(
      welcomed(),
      event(first),
      event(neurons(1, [3, 9, 5, 18, 17, 16], [0, 0, 0, 0, 0, 0])),
    );
    const nan = Number.NaN;
    expect([...(state.maps.neuron?.before ?? [])]).toEqual([3, nan, nan, nan, 17, nan]);
  });
});

describe("a question about a component", () => {
  const asks = (id: string, site: string): Action => ({
    type: "sent",
    id,
    body: { kind: "detail", site, position: 0, prompt: 2 },
  });
  const read = (id: string, site: string): Settlement =>
    ({ kind: "detailed", id, site, position: 0 }) as unknown as Settlement;
  const answers = (id: string, settlement: Settlement): Action => ({
    type: "settled",
    id,
    body: { kind: "detail", site: "" },
    settlement,
  });

  it("keeps its own words, a 0 too", () => {
    const { asked } = reduce(welcomed(), asks("1", "4.3")).detail;
    expect(asked?.question).toMatchObject({ site: "4.3", position: 0, prompt: 2, row: null });
  });

  it("is answered by the answer to the newest alone", () => {
    const two = run(welcomed(), asks("1", "4.3"), asks("2", "5.6"));
    for (const old of [read("1", "4.3"), { kind: "failed", id: "1", error } as const])
      expect(reduce(two, answers("1", old)).detail).toEqual(two.detail);
    const { detail } = reduce(two, answers("2", read("2", "5.6")));
    expect([detail.asked, detail.answer?.to.site]).toEqual([null, "5.6"]);
  });

  it("that failed is told once more only after a step", () => {
    const failed = run(
      welcomed(),
      asks("1", "4.3"),
      answers("1", { kind: "failed", id: "1", error }),
    );
    expect(failed.detail.failed?.error).toEqual(error);
    expect(reduce(failed, snapshot(0)).detail.failed).not.toBeNull();
    expect(reduce(failed, snapshot(1)).detail.failed).toBeNull();
  });
});

describe("a model that was measured again", () => {
  it("leaves nothing of what was read of it before", () => {
    const state = run(
      welcomed(),
      { type: "event", message: map({ n_edits: 0 }) },
      { type: "compare", kept: { map: map(), unedited: true } as unknown as Kept },
    );
    for (const name of ["maps", "scales", "orders", "unedited"] as const)
      expect(Object.keys(state[name])).not.toHaveLength(0);
    const message = {
      kind: "snapshot" as const,
      seq: 2,
      snapshot: kernel.snapshot,
      setup: { ...kernel.setup, model: "another" },
    };
    const { setup, maps, scales, orders, unedited, kept, detail } = reduce(state, {
      type: "event",
      message,
    });
    expect(setup?.model).toBe("another");
    expect({ maps, scales, orders, unedited, kept }).toEqual({
      maps: {},
      scales: {},
      orders: {},
      unedited: {},
      kept: null,
    });
    expect(detail.answer).toBeNull();
  });
});

describe("a proof", () => {
  const body = { kind: "verify" } as const;
  const settlement = {
    kind: "verified",
    id: "1",
    max_abs_error: { value: 1e-6, special: null },
    tolerance: 1e-4,
    ok: true,
    tier: "replay",
    disagrees: null,
  } as const;

  it("holds for the state it was made for", () => {
    const state = run(
      welcomed(),
      { type: "sent", id: "1", body },
      { type: "settled", id: "1", body, settlement },
    );
    expect(state.verifying).toBe(false);
    expect(state.verified?.result.ok).toBe(true);
    expect(reduce(state, snapshot(0)).verified).not.toBeNull();
    expect(reduce(state, snapshot(1)).verified).toBeNull();
  });
});

describe("versions", () => {
  it("that differ are said, with what to do", () => {
    const setup = { ...kernel.setup, protocol: 99 };
    const message = {
      kind: "welcome" as const,
      id: "a",
      seq: 0,
      setup,
      snapshot: kernel.snapshot,
    };
    const state = reduce(INITIAL, { type: "welcome", message });
    expect(state.trouble?.error.code).toBe("protocol_version");
    expect(state.trouble?.error.message).toContain("Reload the page");
  });
});
