// What each cell of a map is: its address, its effect, the edit on it, the click on its way.
import { type EffectMap, ESTIMATED, EXACT } from "../../../protocol/decode";
import type { EditRow } from "../../../protocol/generated";
import type { Selection } from "../../../store/selection";
import type { MapOver, PendingClick } from "../../../store/state";

/** Effects smaller than this share of the largest are not listed. */
const NOISE = 2e-3;

export interface CellEdit {
  how: string;
  enabled: boolean;
  /** Its place in the list of edits. */
  index: number;
}

/** The parts of a map that say which component each cell is. */
export type Axes = Pick<EffectMap, "over" | "layers" | "shape" | "index">;

/** Whether the columns of such a map are positions. */
export function isByPosition(over: MapOver): boolean {
  return over !== "head" && over !== "neuron";
}

/** The layer of a cell. */
export function layerOf({ over, layers }: Axes, row: number): number {
  return (over === "head_pos" ? layers[0] : layers[row]) ?? row;
}

/** The head or the neuron of a cell; null for what a layer has one of, −1 for a neuron not chosen yet. */
export function indexOf({ over, shape, index }: Axes, row: number, column: number): number | null {
  switch (over) {
    case "head":
      return column;
    case "head_pos":
      return row;
    case "neuron":
      return index?.[row * (shape[1] ?? 0) + column] ?? -1;
    default:
      return null;
  }
}

/** The site a click on this cell edits, as the kernel writes it; null while there is none. */
export function siteOf(axes: Axes, row: number, column: number): string | null {
  const layer = layerOf(axes, row);
  const index = indexOf(axes, row, column);
  switch (axes.over) {
    case "head":
    case "head_pos":
      return `${layer}.${index}`;
    case "neuron":
      return index === null || index < 0 ? null : `neuron ${layer}.${index}`;
    default:
      return `${axes.over} ${layer}`;
  }
}

/** The positions a click on this cell acts at. */
export function positionsOf(
  over: MapOver,
  column: number,
  selected: readonly number[] | null,
): number[] | null {
  if (isByPosition(over)) return [column];
  return selected === null ? null : [...selected];
}

/** The name of a cell for people: `9.6`, `resid_pre 5 @ 12`, `neuron 3.141`. */
export function cellName(axes: Axes, row: number, column: number): string {
  const site = siteOf(axes, row, column);
  if (site === null) return `neuron of layer ${layerOf(axes, row)}, rank ${column + 1}`;
  return isByPosition(axes.over) ? `${site} @ ${column}` : site;
}

function editIsOn(edit: EditRow, axes: Axes, row: number, column: number): boolean {
  const { over } = axes;
  if (edit.kind !== (over === "head_pos" ? "head" : over) || edit.layer !== layerOf(axes, row))
    return false;
  const component = indexOf(axes, row, column);
  return (
    (component === null || edit.index === component) &&
    (!isByPosition(over) || edit.positions === null || edit.positions.includes(column))
  );
}

/** The edit drawn on a cell; of several the last, and one in force before one switched off. */
export function editOn(
  edits: readonly EditRow[],
  axes: Axes,
  row: number,
  column: number,
): CellEdit | null {
  let found: CellEdit | null = null;
  edits.forEach((edit, index) => {
    if (editIsOn(edit, axes, row, column) && (edit.enabled || found?.enabled !== true))
      found = { how: edit.how, enabled: edit.enabled, index };
  });
  return found;
}

/** The rows and columns of a map that an edit may be on: few, however large the map. */
function* placesOf(edit: EditRow, axes: Axes): Generator<[row: number, column: number]> {
  const { over, layers, shape } = axes;
  const row = over === "head_pos" ? (edit.index ?? -1) : layers.indexOf(edit.layer);
  const columns = shape[1] ?? 0;
  if (row < 0 || row >= (shape[0] ?? 0)) return;
  if (over === "head") yield [row, edit.index ?? -1];
  else if (isByPosition(over) && edit.positions !== null)
    for (const position of edit.positions) yield [row, position];
  else for (let column = 0; column < columns; column += 1) yield [row, column];
}

/** Every edited cell of a map with the edit drawn on it, by its place in the map's arrays. */
export function editsOn(edits: readonly EditRow[], axes: Axes): ReadonlyMap<number, CellEdit> {
  const found = new Map<number, CellEdit>();
  const columns = axes.shape[1] ?? 0;
  for (const edit of edits)
    for (const [row, column] of placesOf(edit, axes)) {
      const cell = row * columns + column;
      if (column < 0 || column >= columns || found.has(cell)) continue;
      const on = editOn(edits, axes, row, column);
      if (on !== null) found.set(cell, on);
    }
  return found;
}

/** Whether an edit is on any cell of a map. */
export function isOnMap(edit: EditRow, axes: Axes): boolean {
  const { over, layers, index, shape } = axes;
  const row = layers.indexOf(edit.layer);
  if (row < 0 || edit.kind !== (over === "head_pos" ? "head" : over)) return false;
  const columns = shape[1] ?? 0;
  return (
    over !== "neuron" ||
    index?.subarray(row * columns, (row + 1) * columns).includes(edit.index ?? -1) === true
  );
}

/** Whether a click on this cell waits for its numbers. */
export function isPending(
  clicks: readonly PendingClick[],
  axes: Axes,
  row: number,
  column: number,
): boolean {
  if (clicks.length === 0) return false;
  const site = siteOf(axes, row, column);
  return clicks.some(
    (click) =>
      click.site === site &&
      (!isByPosition(axes.over) || click.positions?.includes(column) === true),
  );
}

const SITE = /^(?:(\w+) )?(\d+)(?:\.(\d+))?$/;

/** The cell that a selected component has in a map; null where it has none. */
export function cellOf(
  axes: Axes,
  selected: Selection | null,
): [row: number, column: number] | null {
  const [, kind = "head", layer, index] = SITE.exec(selected?.site ?? "") ?? [];
  const { over, layers, shape } = axes;
  if (selected === null || layer === undefined) return null;
  if (kind !== (over === "head_pos" ? "head" : over)) return null;
  const byPosition = isByPosition(over);
  const [rows = 0, columns = 0] = shape;
  const at = layers.indexOf(Number(layer));
  const row = over === "head_pos" && at >= 0 ? Number(index) : at;
  let column = byPosition ? (selected.position ?? -1) : Number(index);
  if (over === "neuron") {
    const ranks = axes.index?.subarray(row * columns, (row + 1) * columns);
    column = ranks?.indexOf(Number(index)) ?? -1;
  }
  return row >= 0 && row < rows && column >= 0 && column < columns ? [row, column] : null;
}

/** The effect of a cell; null while it is not computed. */
export function effectAt(map: EffectMap, row: number, column: number): number | null {
  const i = row * (map.shape[1] ?? 0) + column;
  return map.known[i] === EXACT ? (map.effect[i] ?? null) : null;
}

/** What the effect of a cell is estimated to be until it is computed; null when there is no estimate. */
export function estimateAt(map: EffectMap, row: number, column: number): number | null {
  const i = row * (map.shape[1] ?? 0) + column;
  return map.known[i] === ESTIMATED ? (map.effect[i] ?? null) : null;
}

/** What a cell showed before its effect is computed; null when it showed nothing. */
export function beforeAt(map: EffectMap, row: number, column: number): number | null {
  const x = map.before?.[row * (map.shape[1] ?? 0) + column];
  return x === undefined || Number.isNaN(x) ? null : x;
}

/** The standard error of a cell's effect over the prompts; null where there is none. */
export function stderrAt(map: EffectMap, row: number, column: number): number | null {
  const i = row * (map.shape[1] ?? 0) + column;
  const error = map.known[i] === EXACT ? map.stderr?.[i] : undefined;
  return error === undefined || Number.isNaN(error) ? null : error;
}

export interface RankedCell {
  row: number;
  column: number;
  effect: number;
  /** It is from before the last step. */
  old: boolean;
  /** It is an estimate until it is computed. */
  estimated: boolean;
}

/** What a cell shows: its effect as known or estimated, else as it was; NaN for nothing. */
function shownAt(map: EffectMap, i: number): number {
  return (map.known[i] !== 0 ? map.effect[i] : map.before?.[i]) ?? Number.NaN;
}

/** The cells with the largest sizes, largest first, in one pass: a large map comes many times a second. */
function largestOf(sizes: (i: number) => number, n: number, count: number): number[] {
  const found: number[] = [];
  const ofFound: number[] = [];
  for (let i = 0; i < n; i += 1) {
    const size = sizes(i);
    const isFull = found.length === count;
    if (!(size > 0 && size < Number.POSITIVE_INFINITY)) continue;
    if (isFull && size <= (ofFound[count - 1] ?? 0)) continue;
    let at = isFull ? count - 1 : found.length;
    for (; at > 0 && (ofFound[at - 1] ?? 0) < size; at -= 1) {
      found[at] = found[at - 1] ?? 0;
      ofFound[at] = ofFound[at - 1] ?? 0;
    }
    found[at] = i;
    ofFound[at] = size;
  }
  return found;
}

/**
 * The finite cells with an effect, largest |effect| first: as known or estimated, else as they were.
 * `count` is for a few of them; `only` for those of one kind.
 */
export function largest(
  map: EffectMap,
  count: number,
  only?: (effect: number) => boolean,
): RankedCell[] {
  const columns = map.shape[1] ?? 0;
  const size = (i: number): number => Math.abs(shownAt(map, i));
  const n = map.effect.length;
  const ofKind = (i: number): number => (only?.(shownAt(map, i)) === false ? 0 : size(i));
  const found = largestOf(only === undefined ? size : ofKind, n, Math.min(count, n));
  const [first = 0] = only === undefined ? found : largestOf(size, n, 1);
  // What is left of rounding is no effect.
  const least = NOISE * size(first);
  return found
    .map((i) => ({
      row: Math.floor(i / columns),
      column: i % columns,
      effect: shownAt(map, i),
      old: map.known[i] !== EXACT && map.known[i] !== ESTIMATED,
      estimated: map.known[i] === ESTIMATED,
    }))
    .filter(({ effect }) => Math.abs(effect) > least);
}
