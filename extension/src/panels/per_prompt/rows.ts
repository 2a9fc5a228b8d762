// The metric prompt by prompt: the rows of the table and their order.
import { real } from "../../protocol/decode";
import type { MetricView } from "../../protocol/generated";
import { type Fences, fencesOf, isOutlier } from "./outliers";

export interface Row {
  /** Its index in the data set. */
  prompt: number;
  value: number;
  base: number;
  change: number;
  outlier: boolean;
}

export type Column = "prompt" | "value" | "base" | "change";
export interface Order {
  by: Column;
  descending: boolean;
}

/** The largest change first. */
export const LARGEST: Order = { by: "change", descending: true };

export interface PerPrompt {
  rows: readonly Row[];
  fences: Fences | null;
  outliers: number;
}

/** One row a prompt, in the order of the data set. */
export function perPrompt({ values, base_values }: MetricView): PerPrompt {
  const bare = values.map((sent, prompt) => {
    const value = real(sent);
    const base = real(base_values[prompt] ?? sent);
    // Subtracted as the kernel does, in float32: prompts that changed alike are alike.
    return { prompt, value, base, change: Math.fround(value - base) };
  });
  const fences = fencesOf(bare.map(({ change }) => change));
  const rows = bare.map((row) => ({ ...row, outlier: isOutlier(row.change, fences) }));
  return { rows, fences, outliers: rows.filter(({ outlier }) => outlier).length };
}

/** What a column is sorted by: changes by their size. */
function keyOf(row: Row, by: Column): number {
  return by === "change" ? Math.abs(row.change) : row[by];
}

/** The rows in order; equal ones by prompt, NaN last whichever way. */
export function inOrder(rows: readonly Row[], { by, descending }: Order): Row[] {
  const sign = descending ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [x, y] = [keyOf(a, by), keyOf(b, by)];
    if (Number.isNaN(x) || Number.isNaN(y)) {
      return Number(Number.isNaN(x)) - Number(Number.isNaN(y)) || a.prompt - b.prompt;
    }
    return x === y ? a.prompt - b.prompt : x < y ? -sign : sign;
  });
}

/** The order after a click on a head: the other way, or a new column's own: prompts from the first, numbers from the largest. */
export function reordered(order: Order, by: Column): Order {
  return { by, descending: order.by === by ? !order.descending : by !== "prompt" };
}

/** The least and the largest of the finite numbers; null when there is none. */
export function rangeOf(numbers: readonly number[]): [low: number, high: number] | null {
  const finite = numbers.filter(Number.isFinite);
  if (finite.length === 0) return null;
  return [finite.reduce((a, b) => Math.min(a, b)), finite.reduce((a, b) => Math.max(a, b))];
}
