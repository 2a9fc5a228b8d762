// The rows of a table of neurons, in the order of a column.
import { real } from "../../protocol/decode";
import type { NeuronRow } from "../../protocol/generated";

export type Column = "index" | "activation" | "direct" | "congruence" | "effect";

export interface Order {
  column: Column;
  /** Largest first: by size for effects, which have a sign. */
  down: boolean;
}

/** A second choice of the same column turns it round. */
export function nextOrder(now: Order | null, column: Column): Order {
  if (now?.column === column) return { column, down: !now.down };
  return { column, down: column !== "index" };
}

function size(row: NeuronRow, column: Column): number {
  if (column === "index") return row.index;
  const x = real(row[column]);
  return column === "activation" ? x : Math.abs(x);
}

/** Rows in order, those without a number last; null leaves them as they came. */
export function inOrder(rows: readonly NeuronRow[], order: Order | null): readonly NeuronRow[] {
  if (order === null) return rows;
  const key = (row: NeuronRow): number => size(row, order.column);
  return [...rows].sort((a, b) => {
    const [x, y] = [key(a), key(b)];
    if (Number.isNaN(x) || Number.isNaN(y))
      return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
    return order.down ? y - x : x - y;
  });
}
