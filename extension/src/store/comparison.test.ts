// Which two states are compared, which answers count, and when the kernel is asked again: one change at a time.
import { expect, it } from "vitest";
import type { ReadComparison } from "../protocol/decode_compared";
import type { Snapshot, View } from "../protocol/generated";
import {
  answered,
  askedFor,
  type ComparisonState,
  compared,
  isCurrent,
  lacksComparison,
  wantsMaps,
} from "./comparison";

const real = (value: number) => ({ value, special: null });
const NODES = [
  { id: 0, parent: null, label: "clean run", value: real(0), note: null },
  { id: 1, parent: 0, label: "zero 4.3", value: real(1.5), note: "first" },
  { id: 2, parent: 0, label: "zero 3.4", value: real(-2.25), note: null },
];
const side = (node: number): object => ({ node, ...NODES[node], id: undefined });
const ANSWER = {
  kind: "compared",
  id: "7",
  prompt: 2,
  left: side(1),
  right: side(2),
  maps: {},
  refused: null,
} as unknown as ReadComparison;
const VIEW = {
  map: "head_pos",
  mode: "patch",
  positions: [0, 3],
  map_layer: 4,
  prompt: 2,
} as unknown as View;
const WANTED = { map: "head_pos", mode: "patch", positions: [0, 3], map_layer: 4 } as const;
const STATE: ComparisonState = {
  left: 1,
  right: 2,
  maps: { ...WANTED, positions: [0, 3] },
  answer: ANSWER,
  asked: null,
  failed: null,
};
const SNAPSHOT = { history: { nodes: NODES } } as unknown as Snapshot;
const nodes = (id: number, change: object): Snapshot =>
  ({
    history: { nodes: NODES.map((node) => (node.id === id ? { ...node, ...change } : node)) },
  }) as unknown as Snapshot;

it("asks for nothing that it has", () => {
  expect(isCurrent(STATE, SNAPSHOT)).toBe(true);
  expect(lacksComparison(STATE, SNAPSHOT, VIEW)).toBe(false);
  expect(wantsMaps(STATE, VIEW)).toBe(true);
});

it.each([
  ["the left state", { left: 0 }],
  ["the right state", { right: 0 }],
])("asks again with another one: %s", (_, change) => {
  expect(isCurrent({ ...STATE, ...change }, SNAPSHOT)).toBe(false);
});

it.each([1, 2])("asks again where state %i is another by now", (id) => {
  for (const change of [{ value: real(9) }, { label: "scale" }, { note: "other" }]) {
    expect(isCurrent(STATE, nodes(id, change))).toBe(false);
    expect(lacksComparison(STATE, nodes(id, change), VIEW)).toBe(true);
  }
  expect(isCurrent(STATE, nodes(id, { value: null }))).toBe(true);
  expect(isCurrent(STATE, nodes(0, { value: real(9), note: "mine" }))).toBe(true);
});

it("asks again for another prompt, and not while it waits or after a refusal", () => {
  const other = { ...VIEW, prompt: 0 } as View;
  expect(lacksComparison(STATE, SNAPSHOT, other)).toBe(true);
  const error = { code: "no", message: "no", where: null };
  expect(lacksComparison({ ...STATE, asked: { id: "8", maps: false } }, SNAPSHOT, other)).toBe(
    false,
  );
  expect(lacksComparison({ ...STATE, failed: error }, SNAPSHOT, other)).toBe(false);
});

it.each([
  ["map", "head"],
  ["mode", "zero"],
  ["positions", [0]],
  ["positions", null],
  ["map_layer", 3],
])("wants no maps of another view: %s %j", (key, value) => {
  expect(wantsMaps(STATE, { ...VIEW, [key]: value } as View)).toBe(false);
});

it("of a map of all layers does not hang on the layer that is chosen", () => {
  const state = { ...STATE, maps: { ...STATE.maps, map: "head" } } as ComparisonState;
  expect(wantsMaps(state, { ...VIEW, map: "head", map_layer: 0 } as View)).toBe(true);
  expect(wantsMaps({ ...STATE, maps: null }, VIEW)).toBe(false);
});

it("lacks maps that are wanted, unless they were refused", () => {
  const without = { ...ANSWER, maps: null } as ReadComparison;
  const refused = { ...without, refused: { code: "no", message: "no", where: null } };
  expect(lacksComparison({ ...STATE, answer: without }, SNAPSHOT, VIEW)).toBe(true);
  expect(lacksComparison({ ...STATE, answer: without, maps: null }, SNAPSHOT, VIEW)).toBe(false);
  expect(lacksComparison({ ...STATE, answer: refused } as ComparisonState, SNAPSHOT, VIEW)).toBe(
    false,
  );
});

it("takes the answer to its newest question alone", () => {
  const first = askedFor(STATE, "7", { kind: "compare", left: 1, right: 2, prompt: 2, map: true });
  const second = askedFor(first, "8", { kind: "compare", left: 1, right: 2, prompt: 0 });
  expect([first?.asked, second?.asked]).toEqual([
    { id: "7", maps: true },
    { id: "8", maps: false },
  ]);
  expect(answered(second, "7", ANSWER)).toBe(second);
  expect(answered(second, "8", ANSWER)).toMatchObject({ asked: null, answer: ANSWER });
  const overtaken = answered(second, "8", { kind: "superseded", id: "8" });
  expect(overtaken?.failed?.code).toBe("superseded");
  expect(askedFor(STATE, "9", { kind: "undo" })).toBe(STATE);
});

it("of other states shows what was known until the next comes, and forgets what failed", () => {
  expect(compared(STATE, 1, 2)).toBe(STATE);
  const error = { code: "no", message: "no", where: null };
  for (const [left, right] of [
    [2, 1],
    [1, 0],
    [0, 2],
  ] as const)
    expect(compared({ ...STATE, failed: error }, left, right)).toEqual({
      left,
      right,
      maps: null,
      answer: ANSWER,
      asked: null,
      failed: null,
    });
});
