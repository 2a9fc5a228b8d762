import { describe, expect, it } from "vitest";
import { type EffectMap, ESTIMATED, EXACT } from "../../../protocol/decode";
import type { EditRow } from "../../../protocol/generated";
import {
  type Axes,
  beforeAt,
  cellName,
  cellOf,
  editOn,
  effectAt,
  estimateAt,
  isPending,
  largest,
  positionsOf,
  siteOf,
} from "./cells";

const edit = (change: Partial<EditRow>): EditRow => ({
  site: "1.2",
  kind: "head",
  layer: 1,
  index: 2,
  how: "zero",
  what: "zero 1.2",
  strength: null,
  positions: null,
  at: "all",
  enabled: true,
  effect: null,
  norm_before: null,
  norm_change: null,
  name: null,
  group: null,
  sources: null,
  renormalize: false,
  ...change,
});
const resid = (positions: number[] | null): EditRow =>
  edit({ site: "resid_pre 1", kind: "resid_pre", index: null, positions });

const axes = (over: Axes["over"], layers: number[], shape: number[], index?: number[]): Axes => ({
  over,
  layers,
  shape,
  index: index === undefined ? null : Int32Array.from(index),
});
const ALL = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
const HEADS = axes("head", ALL, [10, 12]);
const RESID = axes("resid_pre", ALL, [10, 15]);
const HEAD_POS = axes("head_pos", [7], [12, 15]);
const NEURONS = axes("neuron", [2, 5], [2, 3], [10, 11, -1, 20, 21, 22]);

describe("addresses", () => {
  it("are those of the kernel", () => {
    expect(siteOf(HEADS, 9, 6)).toBe("9.6");
    expect(siteOf(RESID, 5, 12)).toBe("resid_pre 5");
    expect(cellName(RESID, 5, 12)).toBe("resid_pre 5 @ 12");
    expect(siteOf(HEAD_POS, 3, 12)).toBe("7.3");
    expect(cellName(HEAD_POS, 3, 12)).toBe("7.3 @ 12");
    expect(positionsOf("head_pos", 12, [1, 2])).toEqual([12]);
    expect(positionsOf("neuron", 0, [1, 2])).toEqual([1, 2]);
    // Layers that a model lacks are no rows.
    expect(siteOf(NEURONS, 1, 2)).toBe("neuron 5.22");
    expect(siteOf(axes("mlp_out", [0, 3], [2, 4]), 1, 2)).toBe("mlp_out 3");
    expect(siteOf(NEURONS, 0, 2)).toBeNull();
    expect(cellName(NEURONS, 0, 2)).toBe("neuron of layer 2, rank 3");
    expect(positionsOf("head", 6, [1, 2])).toEqual([1, 2]);
    expect(positionsOf("head", 6, null)).toBeNull();
    expect(positionsOf("resid_pre", 12, [1, 2])).toEqual([12]);
  });
});

describe("the cell of a selection", () => {
  it("is the one of its site, and of its position where cells have one", () => {
    expect(cellOf(HEADS, { site: "9.6", position: null })).toEqual([9, 6]);
    expect(cellOf(HEADS, null)).toBeNull();
    expect(cellOf(RESID, { site: "resid_pre 5", position: 4 })).toEqual([5, 4]);
    expect(cellOf(RESID, { site: "resid_pre 5", position: null })).toBeNull();
    expect(cellOf(HEAD_POS, { site: "7.3", position: 2 })).toEqual([3, 2]);
    expect(cellOf(HEAD_POS, { site: "8.3", position: 2 })).toBeNull();
    expect(cellOf(NEURONS, { site: "neuron 5.21", position: null })).toEqual([1, 1]);
  });
});

describe("the edit on a cell", () => {
  it("is the one of its head, or of its layer and position", () => {
    expect(editOn([edit({})], HEADS, 1, 2)?.index).toBe(0);
    expect(editOn([edit({})], HEADS, 1, 3)).toBeNull();
    expect(editOn([resid([4])], RESID, 1, 4)?.how).toBe("zero");
    expect(editOn([resid([4])], RESID, 1, 5)).toBeNull();
    expect(editOn([resid(null)], RESID, 1, 5)).not.toBeNull();
    expect(editOn([edit({ kind: "mlp_out", index: null })], RESID, 1, 0)).toBeNull();
    for (const kind of ["head.q", "head.pattern", "neuron", "edge"] as const)
      expect(editOn([edit({ kind })], HEADS, 1, 2)).toBeNull();
  });

  it("is that of a head at a position, or of a neuron wherever it ranks", () => {
    const head = edit({ site: "7.3", layer: 7, index: 3, positions: [4] });
    expect(editOn([head], HEAD_POS, 3, 4)?.index).toBe(0);
    expect(editOn([head], HEAD_POS, 3, 5)).toBeNull();
    expect(editOn([head], HEAD_POS, 4, 4)).toBeNull();
    const neuron = edit({ site: "neuron 5.22", kind: "neuron", layer: 5, index: 22 });
    expect(editOn([neuron], NEURONS, 1, 2)?.index).toBe(0);
    expect(editOn([neuron], NEURONS, 1, 1)).toBeNull();
  });

  it("of several is the last, and one in force before one that is off", () => {
    expect(editOn([edit({}), edit({ how: "patch" })], HEADS, 1, 2)?.index).toBe(1);
    expect(editOn([edit({}), edit({ enabled: false })], HEADS, 1, 2)?.index).toBe(0);
  });
});

describe("a click on its way", () => {
  it("marks its own cell", () => {
    const clicks = [
      { id: "1", site: "resid_pre 1", positions: [4], shownFrom: null, overtaken: false },
    ];
    expect(isPending(clicks, RESID, 1, 4)).toBe(true);
    expect(isPending(clicks, RESID, 1, 5)).toBe(false);
    expect(isPending(clicks, HEADS, 1, 4)).toBe(false);
  });
});

describe("effects", () => {
  const map = {
    shape: [2, 2],
    effect: Float32Array.from([1, -3, Number.NaN, 0]),
    known: Uint8Array.from([EXACT, EXACT, EXACT, 0]),
    before: Float32Array.from([Number.NaN, Number.NaN, Number.NaN, 2]),
  } as unknown as EffectMap;

  it("are known, or what they were, or nothing", () => {
    expect(effectAt(map, 0, 1)).toBe(-3);
    expect(effectAt(map, 1, 0)).toBeNaN();
    expect(effectAt(map, 1, 1)).toBeNull();
    expect(estimateAt(map, 0, 1)).toBeNull();
    expect(beforeAt(map, 1, 1)).toBe(2);
    expect(beforeAt(map, 0, 0)).toBeNull();
  });

  it("are ranked by size, without what is not finite", () => {
    expect(largest(map, 9).map(({ effect, old }) => [effect, old])).toEqual([
      [-3, false],
      [2, true],
      [1, false],
    ]);
    expect(largest(map, 1)).toHaveLength(1);
  });

  it("that are estimated are no effects yet, but ranked among them", () => {
    const half = { ...map, known: Uint8Array.from([EXACT, ESTIMATED, ESTIMATED, 0]) };
    expect(effectAt(half, 0, 1)).toBeNull();
    expect(estimateAt(half, 0, 1)).toBe(-3);
    expect(estimateAt(half, 1, 1)).toBeNull();
    expect(largest(half, 9).map(({ effect, estimated }) => [effect, estimated])).toEqual([
      [-3, true],
      [2, false],
      [1, false],
    ]);
  });
});
