import { describe, expect, it } from "vitest";
import type { HistoryNode } from "../../protocol/generated";
import { columnX, linePath, pointOf, rangeOf, rowY } from "./geometry";
import { lineOf } from "./lineage";
import { listed } from "./order";

const real = (value: number) => ({ value, special: null });
const node = (id: number, parent: number | null, value: number | null): HistoryNode => ({
  id,
  parent,
  label: "",
  note: null,
  value: value === null ? null : real(value),
});

describe("the lines of the history", () => {
  it("go down a column, and over to a branch just above it", () => {
    expect(linePath({ row: 0, depth: 0 }, { row: 2, depth: 0 })).toBe(
      `M${columnX(0)} ${rowY(0)}V${rowY(2)}`,
    );
    const over = linePath({ row: 0, depth: 0 }, { row: 3, depth: 1 });
    expect(over).toContain(`V${rowY(2)}C`);
    expect(over.endsWith(`${columnX(1)} ${rowY(3)}`)).toBe(true);
    expect(columnX(9)).toBe(columnX(4));
  });

  it("lead from the state that is shown back to the first", () => {
    const nodes = [node(0, null, 1), node(1, 0, 1), node(2, 1, 1), node(3, 1, 1)];
    expect([...lineOf(nodes, 3)]).toEqual([3, 1, 0]);
    expect([...lineOf([node(7, 6, 1)], 7)]).toEqual([7, 6]);
  });
});

describe("the chart", () => {
  const rows = listed([node(0, null, 3), node(1, 0, 1), node(2, 1, null)]);
  const both = { clean: real(3), corrupted: real(-1) };

  it("reaches from one baseline to the other, or over what is known", () => {
    expect(rangeOf(both, rows)).toEqual({ low: -1, high: 3, baselines: true });
    expect(rangeOf({ clean: real(3), corrupted: null }, rows)).toEqual({
      low: 1,
      high: 3,
      baselines: false,
    });
    const equal = { clean: real(3), corrupted: real(3) };
    expect(rangeOf(equal, listed([node(0, null, 3)]))).toBeNull();
    const nan = { clean: { value: null, special: "nan" as const }, corrupted: null };
    expect(rangeOf(nan, [])).toBeNull();
  });

  it("has no point where nothing is known, and an arrow where a number lies beyond", () => {
    const range = { low: -1, high: 3, baselines: true };
    expect(pointOf(null, range)).toBeNull();
    expect(pointOf(Number.NaN, range)).toBeNull();
    expect(pointOf(1, range)?.beyond).toBe(0);
    expect(pointOf(9, range)?.beyond).toBe(1);
    expect(pointOf(-9, range)?.beyond).toBe(-1);
    expect(pointOf(-1, range)?.x).toBeLessThan(pointOf(3, range)?.x ?? 0);
  });
});
