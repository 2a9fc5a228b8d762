import { describe, expect, it } from "vitest";
import { type EffectMap, ESTIMATED, EXACT } from "../../protocol/decode";
import type { EditRow } from "../../protocol/generated";
import {
  beforeAt,
  cellName,
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
  ...change,
});
const resid = (positions: number[] | null): EditRow =>
  edit({ site: "resid_pre 1", kind: "resid_pre", index: null, positions });

describe("addresses", () => {
  it("are those of the kernel", () => {
    expect(siteOf("head", 9, 6)).toBe("9.6");
    expect(siteOf("resid_pre", 5, 12)).toBe("resid_pre 5");
    expect(cellName("resid_pre", 5, 12)).toBe("resid_pre 5 @ 12");
    expect(positionsOf("head", 6, [1, 2])).toEqual([1, 2]);
    expect(positionsOf("head", 6, null)).toBeNull();
    expect(positionsOf("resid_pre", 12, [1, 2])).toEqual([12]);
  });
});

describe("the edit on a cell", () => {
  it("is the one of its head, or of its layer and position", () => {
    expect(editOn([edit({})], "head", 1, 2)?.index).toBe(0);
    expect(editOn([edit({})], "head", 1, 3)).toBeNull();
    expect(editOn([resid([4])], "resid_pre", 1, 4)?.how).toBe("zero");
    expect(editOn([resid([4])], "resid_pre", 1, 5)).toBeNull();
    expect(editOn([resid(null)], "resid_pre", 1, 5)).not.toBeNull();
    expect(editOn([edit({ kind: "mlp_out", index: null })], "resid_pre", 1, 0)).toBeNull();
    for (const kind of ["head.q", "head.pattern", "neuron", "edge"] as const)
      expect(editOn([edit({ kind })], "head", 1, 2)).toBeNull();
  });

  it("of several is the last, and one in force before one that is off", () => {
    expect(editOn([edit({}), edit({ how: "patch" })], "head", 1, 2)?.index).toBe(1);
    expect(editOn([edit({}), edit({ enabled: false })], "head", 1, 2)?.index).toBe(0);
  });
});

describe("a click on its way", () => {
  it("marks its own cell", () => {
    const clicks = [
      { id: "1", site: "resid_pre 1", positions: [4], shownFrom: null, overtaken: false },
    ];
    expect(isPending(clicks, "resid_pre", 1, 4)).toBe(true);
    expect(isPending(clicks, "resid_pre", 1, 5)).toBe(false);
    expect(isPending(clicks, "head", 1, 4)).toBe(false);
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
