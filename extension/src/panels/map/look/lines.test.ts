import { describe, expect, it } from "vitest";
import { type EffectMap, EXACT } from "../../../protocol/decode";
import { orderOf } from "../../../store/look";
import type { Axes } from "../grid/cells";
import { linesOf, moved } from "./lines";

const HEADS: Axes = { over: "head", layers: [0, 1, 2], shape: [3, 4], index: null };
const PLAIN = { order: "layer", layers: null } as const;

describe("the order of a map", () => {
  const map = {
    ...HEADS,
    effect: Float32Array.from([0, 1, 0, 0, 0, -5, 0, 2, 9, 0, 0, 0]),
    known: new Uint8Array(12).fill(EXACT),
  } as unknown as EffectMap;

  it("is by largest |effect|, ties as they stand", () => {
    expect(orderOf(map)).toEqual({ rows: [2, 1, 0], columns: [0, 1, 3, 2] });
  });

  it("takes no notice of what is not finite or not known", () => {
    const effect = map.effect.slice();
    effect[8] = Number.NaN;
    const known = map.known.slice();
    known[5] = 0;
    expect(orderOf({ ...map, effect, known }).rows).toEqual([1, 0, 2]);
  });
});

describe("the lines that are drawn", () => {
  const order = { rows: [2, 0, 1], columns: [3, 2, 1, 0] };

  it("are all, as they are computed, unless another order is asked for", () => {
    expect(linesOf(HEADS, PLAIN, order)).toMatchObject({ rows: [0, 1, 2], columns: [0, 1, 2, 3] });
    expect(linesOf(HEADS, { ...PLAIN, order: "rows" }, order).rows).toEqual([2, 0, 1]);
    const both = linesOf(HEADS, { ...PLAIN, order: "both" }, order);
    expect(both.columns).toEqual([3, 2, 1, 0]);
    expect(both.columnAt.get(3)).toBe(0);
    expect(linesOf(HEADS, { ...PLAIN, order: "both" }, undefined).rows).toEqual([0, 1, 2]);
  });

  it("are of some layers, by their number", () => {
    const some = { ...HEADS, layers: [0, 3, 7] };
    expect(linesOf(some, { order: "layer", layers: [1, 7] }, order).rows).toEqual([1, 2]);
    const byPosition: Axes = { over: "head_pos", layers: [5], shape: [3, 4], index: null };
    expect(linesOf(byPosition, { order: "layer", layers: [1, 2] }, order).rows).toHaveLength(3);
  });

  it("are what keys move along", () => {
    const lines = linesOf(HEADS, { order: "both", layers: null }, order);
    const from = { row: 2, column: 3 };
    expect(moved(from, "ArrowDown", false, lines)).toEqual({ row: 0, column: 3 });
    expect(moved(from, "ArrowRight", false, lines)).toEqual({ row: 2, column: 2 });
    expect(moved(from, "ArrowLeft", false, lines)).toEqual(from);
    expect(moved(from, "End", true, lines)).toEqual({ row: 1, column: 0 });
    expect(moved(from, "PageDown", false, lines)).toEqual({ row: 1, column: 3 });
    expect(moved(from, "a", false, lines)).toBeNull();
  });
});
