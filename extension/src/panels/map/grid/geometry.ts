// Where the cells of a map are, in pixels.
import type { MapOver } from "../../../store/state";
import type { Lines, Spot } from "../look/lines";
import { isByPosition } from "./cells";

/** Room on the left for the layers' labels. */
export const GUTTER = 36;
const HEAD_LABELS = 20;
const TOKEN_LABELS = 54;
/** Room on the right for the last slanted token. */
const SLANT = 22;
const NARROWEST = 18;
/** The same on a canvas, where columns have no text of their own: numbers label every second or third. */
const NARROWEST_DRAWN = 9;
const WIDEST: Record<MapOver, number> = {
  head: 84,
  head_pos: 40,
  resid_pre: 40,
  attn_out: 40,
  mlp_out: 40,
  neuron: 60,
};
/** Width of a digit in a cell, in the widest of the hosts' fonts, and the room around a number. */
const DIGIT = 6.7;
const AROUND = 5;
/** Width of a column's number, with the space to the next one. */
const COLUMN_LABEL = 19;
/** Maps with more cells than this are drawn on a canvas. */
const MOST_ELEMENTS = 1000;

export interface Geometry {
  columns: number;
  pitch: number;
  height: number;
  /** Height of the labels above the cells. */
  top: number;
  slant: number;
  /** Width of the part that is seen; the rest is scrolled to. */
  seen: number;
  /** Characters that fit in a cell. */
  room: number;
  /** Every so many columns one is labelled. */
  every: number;
  /** Cells are painted, not elements. */
  painted: boolean;
}

/** Height of a row: as in a 12-layer map, lower for deep models, higher for shallow ones. */
function rowHeight(rows: number): number {
  if (rows <= 12) return Math.min(36, Math.max(24, Math.floor(200 / Math.max(1, rows))));
  if (rows <= 30) return Math.floor(420 / rows);
  return Math.max(12, Math.min(14, Math.floor(580 / rows)));
}

export function isPainted(shape: readonly number[]): boolean {
  return (shape[0] ?? 0) * (shape[1] ?? 0) > MOST_ELEMENTS;
}

export function geometryOf(over: MapOver, lines: Lines, width: number, painted: boolean): Geometry {
  const byPosition = isByPosition(over);
  const slant = byPosition ? SLANT : 0;
  const columns = Math.max(1, lines.columns.length);
  const narrowest = painted && !byPosition ? NARROWEST_DRAWN : NARROWEST;
  const pitch = Math.max(
    narrowest,
    Math.min(WIDEST[over], Math.floor((width - GUTTER - slant) / columns)),
  );
  return {
    columns,
    pitch,
    height: rowHeight(lines.rows.length),
    top: byPosition ? TOKEN_LABELS : HEAD_LABELS,
    slant,
    seen: Math.max(pitch, width - GUTTER),
    room: Math.floor((pitch - AROUND) / DIGIT),
    every: byPosition ? 1 : Math.ceil(COLUMN_LABEL / Math.max(pitch, 1)),
    painted,
  };
}

/** The columns that are seen, first and one past the last, with one more on either side. */
export function windowOf(
  { pitch, seen }: Geometry,
  columns: number,
  scrolled: number,
): [from: number, to: number] {
  const from = Math.max(0, Math.floor(scrolled / pitch) - 1);
  return [from, Math.min(columns, Math.ceil((scrolled + seen) / pitch) + 1)];
}

/** The cell at a point of the plot, measured from the corner of its first cell. */
export function spotAt(geometry: Geometry, lines: Lines, x: number, y: number): Spot | null {
  const row = lines.rows[Math.floor(y / geometry.height)];
  const column = lines.columns[Math.floor(x / geometry.pitch)];
  return row === undefined || column === undefined || x < 0 || y < 0 ? null : { row, column };
}
