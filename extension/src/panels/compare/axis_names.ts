// Which rows and columns of a small map have their names beside it: as many as can be read.
import type { PromptRow } from "../../protocol/generated";
import { isByPosition, layerOf } from "../map/grid/cells";
import { columnText } from "../map/grid/Labels";
import type { Comparable } from "../map/look/difference";

export interface AxisName {
  /** Its row or column. */
  at: number;
  text: string;
  /** It is a label of the prompts rather than a number or a token. */
  strong: boolean;
}

/** Pixels that a name takes along its axis: a line of text, a number of two digits, a slanted token. */
const LINE = 13;
const NUMBER = 19;
const SLANTED = 13;

/** So many apart that none touches the next; strong ones first, and the others as far as there is room. */
function sparse(names: readonly AxisName[], pitch: number, room: number): AxisName[] {
  const apart = Math.max(1, Math.ceil(room / Math.max(pitch, 0.1)));
  const strong: number[] = [];
  for (const { at, strong: isStrong } of names)
    if (isStrong && at - (strong.at(-1) ?? -apart) >= apart) strong.push(at);
  return names.filter(({ at, strong: isStrong, text }) => {
    if (text === "") return false;
    if (isStrong) return strong.includes(at);
    return at % apart === 0 && strong.every((other) => Math.abs(other - at) >= apart);
  });
}

/** Layers, or heads of one layer, down a map of this height. */
export function rowNames(axes: Comparable, height: number): AxisName[] {
  const rows = axes.shape[0] ?? 0;
  const names = Array.from({ length: rows }, (_, at) => ({
    at,
    text: String(axes.over === "head_pos" ? at : layerOf(axes, at)),
    strong: false,
  }));
  return sparse(names, height / Math.max(1, rows), LINE);
}

/** Heads or tokens across a map of this width. */
export function columnNames(
  axes: Comparable,
  prompt: PromptRow | undefined,
  width: number,
): AxisName[] {
  const columns = axes.shape[1] ?? 0;
  const byPosition = isByPosition(axes.over);
  const names = Array.from({ length: columns }, (_, at) => ({
    at,
    text: columnText(axes, at, prompt),
    strong: byPosition && prompt?.columns[at]?.labels[0] !== undefined,
  }));
  return sparse(names, width / Math.max(1, columns), byPosition ? SLANTED : NUMBER);
}
