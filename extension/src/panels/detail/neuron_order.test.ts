import { describe, expect, it } from "vitest";
import type { NeuronRow, Real } from "../../protocol/generated";
import { inOrder, nextOrder } from "./neuron_order";

const x = (value: number): Real =>
  Number.isNaN(value) ? { value: null, special: "nan" } : { value, special: null };
const row = (index: number, effect: number): NeuronRow => ({
  index,
  activation: x(effect),
  base_activation: x(0),
  direct: x(effect),
  direct_stderr: null,
  congruence: x(0),
  estimate: x(0),
  effect: x(effect),
  effect_stderr: null,
});
const rows = [row(3, 0.5), row(1, -2), row(7, Number.NaN), row(2, 1)];
const indices = (order: Parameters<typeof inOrder>[1]): number[] =>
  inOrder(rows, order).map(({ index }) => index);

describe("a table of neurons", () => {
  it("is as it came until a column is chosen", () => {
    expect(indices(null)).toEqual([3, 1, 7, 2]);
  });

  it("sorts effects by size, activations by value, and what is not finite last", () => {
    expect(indices({ column: "effect", down: true })).toEqual([1, 2, 3, 7]);
    expect(indices({ column: "effect", down: false })).toEqual([3, 2, 1, 7]);
    expect(indices({ column: "activation", down: true })).toEqual([2, 3, 1, 7]);
    expect(indices({ column: "index", down: false })).toEqual([1, 2, 3, 7]);
  });

  it("turns round when a column is chosen again", () => {
    expect(nextOrder(null, "direct")).toEqual({ column: "direct", down: true });
    expect(nextOrder({ column: "direct", down: true }, "direct").down).toBe(false);
    expect(nextOrder({ column: "direct", down: false }, "index")).toEqual({
      column: "index",
      down: false,
    });
  });
});
