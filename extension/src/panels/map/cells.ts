// What each cell of a map is: its address, its effect, the edit on it, the click on its way.
import { type EffectMap, ESTIMATED, EXACT } from "../../protocol/decode";
import type { EditRow } from "../../protocol/generated";
import type { MapOver, PendingClick } from "../../store/state";

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

/** The site a click on this cell edits, as the kernel writes it. */
export function siteOf(over: MapOver, row: number, column: number): string {
  return over === "head" ? `${row}.${column}` : `resid_pre ${row}`;
}

/** The positions a click on this cell acts at. */
export function positionsOf(
  over: MapOver,
  column: number,
  selected: readonly number[] | null,
): number[] | null {
  if (over === "resid_pre") return [column];
  return selected === null ? null : [...selected];
}

/** The name of a cell for people: `9.6`, `resid_pre 5 @ 12`. */
export function cellName(over: MapOver, row: number, column: number): string {
  return over === "head" ? siteOf(over, row, column) : `resid_pre ${row} @ ${column}`;
}

/** The edit drawn on a cell; of several the last, and one in force before one switched off. */
export function editOn(
  edits: readonly EditRow[],
  over: MapOver,
  row: number,
  column: number,
): CellEdit | null {
  let found: CellEdit | null = null;
  edits.forEach((edit, index) => {
    if (edit.kind !== over || edit.layer !== row) return;
    const here =
      over === "head"
        ? edit.index === column
        : edit.positions === null || edit.positions.includes(column);
    if (here && (edit.enabled || found?.enabled !== true)) {
      found = { how: edit.how, enabled: edit.enabled, index };
    }
  });
  return found;
}

/** Whether a click on this cell waits for its numbers. */
export function isPending(
  clicks: readonly PendingClick[],
  over: MapOver,
  row: number,
  column: number,
): boolean {
  const site = siteOf(over, row, column);
  return clicks.some(
    (click) =>
      click.site === site && (over === "head" || click.positions?.includes(column) === true),
  );
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
