// The order of a map by its largest effects, what a state is called, and which kept map a map is compared with.
import { expect, it } from "vitest";
import { type EffectMap, ESTIMATED, EXACT } from "../protocol/decode";
import type { Snapshot } from "../protocol/generated";
import { isPlain, type Kept, keptFor, type Look, orderOf, PLAIN, stateName } from "./look";

const map = (change: object): EffectMap =>
  ({ layers: [4], base: "clean", ...change }) as unknown as EffectMap;

it("orders rows and columns by size, whatever the sign, and by what is known alone", () => {
  const { rows, columns } = orderOf(
    map({
      shape: [3, 4],
      effect: Float32Array.from([
        0.5,
        -3.5,
        0.25,
        1,
        2.5,
        0.125,
        99,
        -1.5,
        Number.NaN,
        0.75,
        1.25,
        -4.5,
      ]),
      known: Uint8Array.from([
        EXACT,
        EXACT,
        EXACT,
        EXACT,
        ESTIMATED,
        EXACT,
        0,
        EXACT,
        EXACT,
        EXACT,
        EXACT,
        EXACT,
      ]),
    }),
  );
  expect([rows, columns]).toEqual([
    [2, 0, 1],
    [3, 1, 0, 2],
  ]);
});

it("names a state by the edits in force, two of them by name", () => {
  const edit = (what: string, enabled = true) => ({ what, enabled });
  const name = (...edits: object[]): string =>
    stateName({ base: "corrupted", edits } as unknown as Pick<Snapshot, "base" | "edits">);
  expect(name(edit("zero 4.3", false))).toBe("corrupted run");
  expect(name(edit("zero 4.3", false), edit("patch 3.4"))).toBe("patch 3.4");
  expect(name(edit("a"), edit("b"))).toBe("a, b");
  expect(name(edit("a"), edit("off", false), edit("b"), edit("c"), edit("d"))).toBe(
    "a, b and 2 more",
  );
});

it("is plain but for the side, key by key", () => {
  for (const key of Object.keys(PLAIN)) {
    const look = { ...PLAIN, [key]: "another" } as unknown as Look;
    expect(isPlain(look), key).toBe(key === "side");
  }
  expect(isPlain({ ...PLAIN, numbersFrom: 0 })).toBe(false);
});

it("compares an unedited map with the unedited one of what is drawn, of one run", () => {
  const kept = (change: object, unedited = true): Kept =>
    ({ map: map({ over: "head", ...change }), unedited, name: "clean run" }) as unknown as Kept;
  const neurons = map({ over: "neuron" });
  const live = map({ over: "neuron" });
  expect(keptFor(live, kept({}), { neuron: neurons }).map).toBe(neurons);
  expect(keptFor(live, kept({}), {}).map.over).toBe("head");
  expect(keptFor(live, kept({}, false), { neuron: neurons }).map.over).toBe("head");
  const other = kept({ base: "corrupted" });
  expect(keptFor(live, other, { neuron: neurons })).toBe(other);
  const own = kept({ over: "neuron" });
  expect(keptFor(live, own, { neuron: neurons })).toBe(own);
  expect(keptFor(map({ over: "neuron", layers: [5] }), own, { neuron: neurons }).map).toBe(neurons);
});
