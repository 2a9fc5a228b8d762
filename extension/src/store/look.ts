// How this view looks at the maps: nothing here changes what the kernel computes, nor what other views draw.
import { tokenText } from "../parts/token";
import type { EffectMap } from "../protocol/decode";
import type { Snapshot } from "../protocol/generated";
import { CHARACTERS, EDITS_NAMED } from "../protocol/vocabulary.gen";

export type MapOrder = "layer" | "rows" | "columns" | "both";
export type MapShow = "all" | "edited" | "exact";
/** The map that was kept, the live one, or the live one minus the kept one. */
export type MapSide = "a" | "b" | "difference";

export interface Look {
  /** Effects in the metric's unit, or as a share of clean − corrupted. */
  unit: "metric" | "share";
  order: MapOrder;
  show: MapShow;
  /** First and last layer drawn; null for all. */
  layers: readonly [number, number] | null;
  /** Cells whose |effect| is under this sink to the background; in the metric's unit. */
  hideBelow: number;
  /** Cells from this |effect| on carry their number, in the metric's unit; null for a share of the scale. */
  numbersFrom: number | null;
  side: MapSide;
}

export const PLAIN: Look = {
  unit: "metric",
  order: "layer",
  show: "all",
  layers: null,
  hideBelow: 0,
  numbersFrom: null,
  side: "b",
};

/** A map to compare the live one with, named by the state that it is of. */
export interface Kept {
  map: EffectMap;
  name: string;
  /** It is of the unedited run, of which there may be maps of other things too. */
  unedited: boolean;
}

/** The kept map as far as it is of the same things as `map`: of the unedited run, the one that is. */
export function keptFor(
  map: EffectMap,
  kept: Kept,
  unedited: Partial<Record<EffectMap["over"], EffectMap>>,
): Kept {
  const other = unedited[map.over];
  const alike = kept.map.over === map.over && kept.map.layers[0] === map.layers[0];
  if (!kept.unedited || alike || other === undefined || other.base !== kept.map.base) return kept;
  return { ...kept, map: other };
}

/** Whether a look shows the whole map as it is computed. */
export function isPlain(look: Look): boolean {
  return (Object.keys(PLAIN) as (keyof Look)[]).every(
    (key) => key === "side" || Object.is(look[key], PLAIN[key]),
  );
}

/** A state in a few words: "clean run", "zero 9.9", "zero 9.9, zero 9.6 and 3 more". */
export function stateName({ base, edits }: Pick<Snapshot, "base" | "edits">): string {
  const active = edits.filter((edit) => edit.enabled).map((edit) => edit.what);
  if (active.length === 0) return `${base} run`;
  const more = active.length > EDITS_NAMED ? ` and ${active.length - EDITS_NAMED} more` : "";
  return tokenText(`${active.slice(0, EDITS_NAMED).join(", ")}${more}`, CHARACTERS.state);
}

/** Rows and columns with the largest |effect| first. */
export interface Order {
  rows: readonly number[];
  columns: readonly number[];
}

function largestFirst(sizes: Float32Array): number[] {
  return [...sizes.keys()].sort((a, b) => (sizes[b] ?? 0) - (sizes[a] ?? 0) || a - b);
}

/** The order of a map by its largest effects; of what is not finite nothing is known. */
export function orderOf({ shape, effect, known }: EffectMap): Order {
  const [rows = 0, columns = 0] = shape;
  const [ofRows, ofColumns] = [new Float32Array(rows), new Float32Array(columns)];
  for (let i = 0; i < effect.length; i += 1) {
    const size = Math.abs(effect[i] ?? 0);
    if (known[i] === 0 || !Number.isFinite(size)) continue;
    const row = Math.floor(i / columns);
    const column = i - row * columns;
    if (size > (ofRows[row] ?? 0)) ofRows[row] = size;
    if (size > (ofColumns[column] ?? 0)) ofColumns[column] = size;
  }
  return { rows: largestFirst(ofRows), columns: largestFirst(ofColumns) };
}
