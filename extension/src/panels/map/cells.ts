// What each cell of a map is: its address, its effect, the edit on it, the click on its way.
import { type EffectMap, ESTIMATED, EXACT } from "../../protocol/decode";
import type { EditRow } from "../../protocol/generated";
import type { MapOver, PendingClick, Selection } from "../../store/state";

/** Effects smaller than this share of the largest are not listed. */
const NOISE = 2e-3;
/** Effects smaller than this share of the scale get no number in their cell. */
const NUMBER_FROM = 0.4;

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

/** The edit drawn on a cell; of several the last, and one in force before one switched off. */
export function editOn(
  edits: readonly EditRow[],
  axes: Axes,
  row: number,
  column: number,
): CellEdit | null {
  let found: CellEdit | null = null;
  const { over } = axes;
  const kind = over === "head_pos" ? "head" : over;
  const layer = layerOf(axes, row);
  const component = indexOf(axes, row, column);
  edits.forEach((edit, index) => {
    if (edit.kind !== kind || edit.layer !== layer) return;
    const here =
      (component === null || edit.index === component) &&
      (!isByPosition(over) || edit.positions === null || edit.positions.includes(column));
    if (here && (edit.enabled || found?.enabled !== true)) {
      found = { how: edit.how, enabled: edit.enabled, index };
    }
  });
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

/** The cell that a selected component has in a map; null where it has none. */
export function cellOf(
  axes: Axes,
  selected: Selection | null,
): [row: number, column: number] | null {
  if (selected === null) return null;
  const [rows = 0, columns = 0] = axes.shape;
  const byPosition = isByPosition(axes.over);
  for (let row = 0; row < rows; row += 1)
    for (let column = 0; column < columns; column += 1)
      if (
        (!byPosition || column === selected.position) &&
        siteOf(axes, row, column) === selected.site
      )
        return [row, column];
  return null;
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

/** Whether a cell is strong enough on its scale to carry its number. */
export function hasNumber(effect: number, clip: number): boolean {
  return Math.abs(effect) >= NUMBER_FROM * clip && clip > 0;
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

/** The finite cells with an effect, largest |effect| first: as known or estimated, else as they were. */
export function largest(map: EffectMap, count: number): RankedCell[] {
  const columns = map.shape[1] ?? 0;
  const cells: RankedCell[] = [];
  map.effect.forEach((now, i) => {
    const estimated = map.known[i] === ESTIMATED;
    const old = map.known[i] !== EXACT && !estimated;
    const effect = old ? (map.before?.[i] ?? Number.NaN) : now;
    if (Number.isFinite(effect) && effect !== 0) {
      cells.push({ row: Math.floor(i / columns), column: i % columns, effect, old, estimated });
    }
  });
  cells.sort((a, b) => Math.abs(b.effect) - Math.abs(a.effect));
  // What is left of rounding is no effect.
  const least = NOISE * Math.abs(cells[0]?.effect ?? 0);
  return cells.slice(0, count).filter(({ effect }) => Math.abs(effect) > least);
}
