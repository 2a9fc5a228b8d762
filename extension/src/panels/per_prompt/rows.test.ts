import { describe, expect, it } from "vitest";
import type { MetricView, Real } from "../../protocol/generated";
import { inOrder, LARGEST, perPrompt, reordered } from "./rows";

const toReal = (x: number): Real =>
  Number.isNaN(x) ? { value: null, special: "nan" } : { value: x, special: null };
const metric = (values: number[], base: number[]): MetricView => ({
  name: "logit_diff",
  unit: "logits",
  value: toReal(0),
  values: values.map(toReal),
  base_values: base.map(toReal),
  stderr: null,
  low: null,
  high: null,
  change: null,
  baselines: { clean: toReal(0), corrupted: null },
});
const prompts = (rows: readonly { prompt: number }[]): number[] => rows.map((row) => row.prompt);

describe("rows", () => {
  const table = perPrompt(metric([1, 5, Number.NaN, 2, 3], [1, 7, 0, 1, 4]));

  it("are the metric with and without edits, prompt by prompt", () => {
    expect(table.rows[1]).toEqual({ prompt: 1, value: 5, base: 7, change: -2, outlier: false });
    expect(table.rows[2]).toMatchObject({ change: Number.NaN, outlier: true });
    expect(table.outliers).toBe(1);
  });

  it("come by the size of the change, equal ones as in the data set, what is not a number last", () => {
    expect(prompts(inOrder(table.rows, LARGEST))).toEqual([1, 3, 4, 0, 2]);
    expect(prompts(inOrder(table.rows, { by: "change", descending: false }))).toEqual([
      0, 3, 4, 1, 2,
    ]);
  });

  it("come by any column, both ways", () => {
    const by = reordered(LARGEST, "base");
    expect(by).toEqual({ by: "base", descending: true });
    expect(prompts(inOrder(table.rows, by))).toEqual([1, 4, 0, 3, 2]);
    expect(prompts(inOrder(table.rows, reordered(by, "base")))).toEqual([2, 0, 3, 4, 1]);
    expect(reordered(by, "prompt")).toEqual({ by: "prompt", descending: false });
    expect(prompts(inOrder(table.rows, reordered(by, "prompt")))).toEqual([0, 1, 2, 3, 4]);
    expect(prompts(inOrder(table.rows, reordered(by, "value")))).toEqual([1, 4, 3, 0, 2]);
  });

  it("of ten thousand prompts are all sorted", () => {
    const values = Array.from({ length: 10_000 }, (_, i) => Math.sin(i));
    const rows = inOrder(perPrompt(metric(values, [...values].reverse())).rows, LARGEST);
    expect(rows).toHaveLength(10_000);
  });
});
