// Where the states of the history stand: their lines on the left, their numbers between the baselines on the right.
import { real, realOrNull } from "../../protocol/decode";
import type { Baselines } from "../../protocol/generated";
import type { Listed } from "./order";

/** Height of a row, and where the first column of states stands and the next ones (px). */
export const ROW = 24;
export const FIRST = 6;
const STEP = 12;
/** Deeper branches stand where this one does: the words need the room. */
export const DEEPEST = 4;

/** Width of the chart and the room for a point at either end (px). */
export const CHART = 58;
const EDGE = 4;

export function columnX(depth: number): number {
  return FIRST + STEP * Math.min(DEEPEST, depth);
}

export function rowY(row: number): number {
  return ROW * (row + 0.5);
}

/** The width that the lines of some rows take. */
export function linesWidth(rows: readonly Listed[]): number {
  return columnX(rows.reduce((most, { depth }) => Math.max(most, depth), 0)) + FIRST + 2;
}

/** A line from a state to one that follows it: down its column, and over to the other in the last bend. */
export function linePath(
  from: { row: number; depth: number },
  to: { row: number; depth: number },
): string {
  const [x, y, over, end] = [columnX(from.depth), rowY(from.row), columnX(to.depth), rowY(to.row)];
  if (x === over) return `M${x} ${y}V${end}`;
  const bend = end - ROW;
  return `M${x} ${y}V${bend}C${x} ${bend + 12} ${over} ${end - 14} ${over} ${end}`;
}

/** The metric's range in the chart: the two baselines, or all that is known where there is one. */
export interface Range {
  low: number;
  high: number;
  /** What stands at the ends: both baselines, or plain numbers. */
  baselines: boolean;
}

export function rangeOf(baselines: Baselines, rows: readonly Listed[]): Range | null {
  const clean = real(baselines.clean);
  const corrupted = realOrNull(baselines.corrupted);
  if (corrupted !== null && Number.isFinite(clean - corrupted) && clean !== corrupted)
    return { low: corrupted, high: clean, baselines: true };
  const values = rows.map(({ node }) => realOrNull(node.value) ?? Number.NaN);
  const finite = [...values, clean].filter(Number.isFinite);
  if (finite.length === 0) return null;
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  return low === high ? null : { low, high, baselines: false };
}

export interface Point {
  x: number;
  /** The number lies beyond this end of the chart. */
  beyond: -1 | 0 | 1;
}

/** Where a number stands in the chart; null for one that is not known or not finite. */
export function pointOf(value: number | null, range: Range): Point | null {
  if (value === null || !Number.isFinite(value)) return null;
  const share = (value - range.low) / (range.high - range.low);
  const within = Math.max(-0.04, Math.min(1.04, share));
  return {
    x: EDGE + (CHART - 2 * EDGE) * within,
    beyond: within === share ? 0 : share < 0 ? -1 : 1,
  };
}
