// What two states differ in: their edits, their prompts, their maps.
import { EXACT, real } from "../../protocol/decode";
import type { ReadComparison } from "../../protocol/decode_compared";
import type { ComparedEdit } from "../../protocol/generated";
import { cellName } from "../map/grid/cells";
import { type Comparable, type Compared, differenceOf } from "../map/look/difference";

/** Edits that only one of the states has, and those that both have. */
export interface EditDifference {
  both: ComparedEdit[];
  left: ComparedEdit[];
  right: ComparedEdit[];
}

export function editDifference(
  left: readonly ComparedEdit[],
  right: readonly ComparedEdit[],
): EditDifference {
  const rest = [...right];
  const difference: EditDifference = { both: [], left: [], right: rest };
  for (const edit of left) {
    const at = rest.findIndex(
      ({ what, enabled }) => what === edit.what && enabled === edit.enabled,
    );
    if (at < 0) difference.left.push(edit);
    else difference.both.push(...rest.splice(at, 1));
  }
  return difference;
}

export interface PromptChange {
  prompt: number;
  left: number;
  right: number;
  change: number;
}

export interface PromptChanges {
  /** The largest |change| first. */
  rows: PromptChange[];
  rise: number;
  fall: number;
}

export function promptChanges({ left, right }: ReadComparison): PromptChanges {
  const rows = left.values.map((sent, prompt) => {
    const [before, after] = [real(sent), real(right.values[prompt] ?? sent)];
    return { prompt, left: before, right: after, change: after - before };
  });
  const size = ({ change }: PromptChange): number =>
    Number.isNaN(change) ? Number.POSITIVE_INFINITY : Math.abs(change);
  return {
    rows: [...rows].sort((a, b) => size(b) - size(a) || a.prompt - b.prompt),
    rise: rows.filter(({ change }) => change > 0).length,
    fall: rows.filter(({ change }) => change < 0).length,
  };
}

/** Both maps as the panel's own maps are, and right minus left; null where there are none. */
export function mapsOf(answer: ReadComparison): (Compared & { axes: Comparable }) | null {
  const { maps, effects } = answer;
  if (maps === null || effects === null) return null;
  const side = (effect: Float32Array): Comparable => ({
    over: maps.over,
    layers: maps.layers,
    shape: maps.shape,
    index: null,
    effect,
    known: new Uint8Array(effect.length).fill(EXACT),
  });
  const [left, right] = [side(effects.left), side(effects.right)];
  return { ...differenceOf(left, right), axes: right };
}

export interface Largest {
  name: string;
  left: number;
  right: number;
  change: number;
}

/** The cells that changed most. */
export function largestChanges(axes: Comparable, left: Float32Array, count: number): Largest[] {
  const columns = axes.shape[1] ?? 0;
  const cells: Largest[] = [];
  axes.effect.forEach((now, i) => {
    const before = left[i] ?? Number.NaN;
    if (!Number.isFinite(now - before) || now === before) return;
    const name = cellName(axes, Math.floor(i / columns), i % columns);
    cells.push({ name, left: before, right: now, change: now - before });
  });
  cells.sort((a, b) => Math.abs(b.change) - Math.abs(a.change));
  return cells.slice(0, count);
}
