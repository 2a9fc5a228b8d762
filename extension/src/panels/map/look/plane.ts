// What a map draws: one number a cell, in the unit and of the side that is looked at, with what is
// known of it. The same for cells that are elements and for cells on a canvas.
import { inCell, withoutZero } from "../../../parts/number";
import { type EffectMap, ESTIMATED, EXACT, real } from "../../../protocol/decode";
import type { Baselines } from "../../../protocol/generated";
import { NUMBER_FROM, OWN_UNIT, SHARE_OF } from "../../../protocol/vocabulary.gen";
import type { Look, MapSide } from "../../../store/look";
import type { CellEdit } from "../grid/cells";
import type { Difference } from "./difference";

/** Beside `EXACT` and `ESTIMATED`: it is what the cell was before the last step. */
export const OLD = 3;

export interface Plane {
  /** The live map, whose cells these are. */
  map: EffectMap;
  side: MapSide;
  value: Float32Array;
  /** 0 for nothing, `EXACT`, `ESTIMATED` or `OLD`. */
  kind: Uint8Array;
  /** Cells that the look hides: 1; null where none is. */
  sunk: Uint8Array | null;
  /** The end of the colour scale, in the unit drawn. */
  clip: number;
  unit: string;
  /** From the metric's unit to the one drawn. */
  factor: number;
  /** |value| from which a cell carries its number. */
  numbersFrom: number;
  difference: Difference | null;
}

/** 1 / (clean − corrupted): what turns an effect into a share of it; null where there is none. */
export function shareOf(baselines: Baselines): number | null {
  if (baselines.corrupted === null) return null;
  const distance = real(baselines.clean) - real(baselines.corrupted);
  return Number.isFinite(distance) && distance !== 0 ? 1 / distance : null;
}

export interface PlaneContext {
  map: EffectMap;
  look: Look;
  /** The end of the scale that both sides share, in the metric's unit. */
  clip: number;
  baselines: Baselines;
  unit: string;
  difference: Difference | null;
  edits: ReadonlyMap<number, CellEdit>;
}

function sidesOf({ map, look, difference }: PlaneContext): Pick<Plane, "side" | "value" | "kind"> {
  if (difference !== null && look.side !== "b")
    return look.side === "a"
      ? { side: "a", value: difference.a, kind: difference.knownA }
      : { side: "difference", value: difference.effect, kind: difference.known };
  const { effect, known, before } = map;
  if (before === null) return { side: "b", value: effect, kind: known };
  const value = effect.slice();
  const kind = known.slice();
  for (let i = 0; i < value.length; i += 1) {
    const old = before[i] ?? Number.NaN;
    if (kind[i] !== 0 || Number.isNaN(old)) continue;
    value[i] = old;
    kind[i] = OLD;
  }
  return { side: "b", value, kind };
}

function isSunk(context: PlaneContext, value: number, kind: number, cell: number): boolean {
  const { look, edits } = context;
  if (look.show === "edited" && !edits.has(cell)) return true;
  if (look.show === "exact" && kind !== EXACT) return true;
  return Math.abs(value) < look.hideBelow;
}

export function planeOf(context: PlaneContext): Plane {
  const { map, look, baselines, difference } = context;
  const share = look.unit === "share" ? shareOf(baselines) : null;
  const factor = share ?? 1;
  const { side, value, kind } = sidesOf(context);
  let sunk: Uint8Array | null = null;
  if (look.show !== "all" || look.hideBelow > 0)
    sunk = kind.map((kind, i) =>
      kind !== 0 && isSunk(context, value[i] ?? Number.NaN, kind, i) ? 1 : 0,
    );
  const clip = side === "difference" ? (difference?.clip ?? 0) : context.clip;
  return {
    map,
    side,
    value: factor === 1 ? value : value.map((x) => x * factor),
    kind,
    sunk,
    clip: clip * Math.abs(factor),
    unit: share === null ? context.unit || OWN_UNIT : SHARE_OF,
    factor,
    numbersFrom: Math.abs(factor) * (look.numbersFrom ?? NUMBER_FROM * clip),
    difference,
  };
}

/** What a plane draws in one cell; null for nothing. */
export function valueAt({ map, value, kind }: Plane, row: number, column: number): number | null {
  const i = row * (map.shape[1] ?? 0) + column;
  return (kind[i] ?? 0) === 0 ? null : (value[i] ?? null);
}

export function kindAt({ map, kind }: Plane, row: number, column: number): number {
  return kind[row * (map.shape[1] ?? 0) + column] ?? 0;
}

export function isSunkAt({ map, sunk }: Plane, row: number, column: number): boolean {
  return sunk?.[row * (map.shape[1] ?? 0) + column] === 1;
}

/** Whether a value is so large on its scale that it is drawn as a number once it is exact. */
export function isStrong(plane: Plane, value: number): boolean {
  return plane.clip > 0 && Math.abs(value) >= plane.numbersFrom;
}

/** Whether the number of a cell is drawn: it is exact, and strong enough on its scale. */
export function hasNumber(plane: Plane, value: number, kind: number): boolean {
  return kind !== ESTIMATED && kind !== 0 && isStrong(plane, value);
}

/** A number as it stands in a cell of so many characters, "−.16" where "−0.16" does not fit; null for no room. */
export function numberIn(value: number, clip: number, room: number): string | null {
  const text = inCell(value, clip);
  if (text.length <= room) return text;
  const shorter = withoutZero(text);
  return shorter.length <= room ? shorter : null;
}

/** The standard error of what is drawn, in its unit; null where there is none. */
export function errorAt(plane: Plane, row: number, column: number): number | null {
  if (plane.side !== "b" || kindAt(plane, row, column) !== EXACT) return null;
  const error = plane.map.stderr?.[row * (plane.map.shape[1] ?? 0) + column];
  return error === undefined || Number.isNaN(error) ? null : error * Math.abs(plane.factor);
}
