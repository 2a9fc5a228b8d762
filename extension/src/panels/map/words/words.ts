// Cells and maps in words, for labels, captions and screen readers.
import { decimals, plain, signed } from "../../../parts/number";
import { tokenWords } from "../../../parts/token";
import { type EffectMap, ESTIMATED } from "../../../protocol/decode";
import type { PromptRow } from "../../../protocol/generated";
import type { MapOver } from "../../../store/state";
import { paddingOf } from "../../prompts/positions";
import { type CellEdit, cellName, isByPosition } from "../grid/cells";
import { errorAt, isStrong, isSunkAt, kindAt, type Plane, valueAt } from "../look/plane";

interface MapWords {
  /** On its tab. */
  tab: string;
  /** What one cell edits. */
  object: string;
  /** The grid's name for those who do not see it. */
  grid: string;
  cells: string;
}

/** Each kind of map in words. */
export const MAPS: Record<MapOver, MapWords> = {
  head: {
    tab: "Heads",
    object: "each head",
    grid: "Effect of each head: layer by head",
    cells: "heads",
  },
  head_pos: {
    tab: "Head \u00d7 position",
    object: "a head at one position",
    grid: "Effect of each head of a layer at each position: head by position",
    cells: "cells",
  },
  resid_pre: {
    tab: "Residual",
    object: "the residual stream at one position",
    grid: "Effect of the residual stream: layer by position",
    cells: "cells",
  },
  attn_out: {
    tab: "Attention out",
    object: "an attention layer's output at one position",
    grid: "Effect of each attention layer's output: layer by position",
    cells: "cells",
  },
  mlp_out: {
    tab: "MLP out",
    object: "an MLP's output at one position",
    grid: "Effect of each MLP's output: layer by position",
    cells: "cells",
  },
  neuron: {
    tab: "Neurons",
    object: "each neuron, those with the largest estimates of every layer",
    grid: "Effect of the neurons that matter most: layer by rank",
    cells: "neurons",
  },
};

const DOING: Record<EffectMap["how"], string> = {
  zero: "zeroing",
  mean: "mean-ablating",
  resample: "resampling",
  patch: "patching",
};

/** "−1.83 ± 0.12": an effect with its standard error, where it has one. */
export function withError(effect: number, error: number | null, digits = 2): string {
  return error === null
    ? signed(effect, digits)
    : `${signed(effect, digits)} \u00b1 ${plain(error, digits)}`;
}

function sizeWords(plane: Plane, row: number, column: number, old: boolean): string {
  const value = valueAt(plane, row, column);
  if (value === null) return "not computed yet";
  const what = { a: "effect in A", b: "effect", difference: "B minus A" }[plane.side];
  const digits = decimals(plane.clip);
  const inFull = Math.max(2, digits);
  // Said with the digits that are drawn where a number is drawn: who speaks it finds the cell.
  const number = signed(value, isStrong(plane, value) ? digits : inFull);
  if (old) return `${what} ${number} ${plane.unit}, before the last step`;
  if (kindAt(plane, row, column) === ESTIMATED)
    return `${what} about ${number} ${plane.unit}, approximate`;
  const error = errorAt(plane, row, column);
  return `${what} ${number}${error === null ? "" : ` \u00b1 ${plain(error, inFull)}`} ${plane.unit}`;
}

/** "head 9.6: effect −0.58 logits, edited: zero"; `old` where the number is not of now. */
export function cellWords(
  plane: Plane,
  row: number,
  column: number,
  edit: CellEdit | null,
  old: boolean,
): string {
  const { map } = plane;
  const name = cellName(map, row, column);
  const subject = map.over === "head" || map.over === "head_pos" ? `head ${name}` : name;
  const sunk = isSunkAt(plane, row, column) ? ", hidden by the view" : "";
  const edited =
    edit === null ? "" : `, edited: ${edit.how}${edit.enabled ? "" : ", switched off"}`;
  return `${subject}: ${sizeWords(plane, row, column, old)}${sunk}${edited}`;
}

/** The sentence above the map: what is done, where, on top of what. */
export function mapCaption(map: EffectMap, prompt: PromptRow | undefined): string {
  const object =
    map.over === "head_pos"
      ? `a head of layer ${map.layers[0]} at one position`
      : MAPS[map.over].object;
  const source = map.how === "patch" ? ` from ${map.base === "clean" ? "corrupted" : "clean"}` : "";
  const where =
    isByPosition(map.over) || map.positions === null
      ? ""
      : ` at ${map.positions.map((p) => tokenWords(prompt?.columns[p]?.labels[0] ?? String(p - paddingOf(prompt)), 10)).join(", ")}`;
  const top =
    map.n_edits === 0
      ? `, on the ${map.base} run`
      : `, on top of ${map.n_edits} ${map.n_edits === 1 ? "edit" : "edits"}`;
  return `Effect of ${DOING[map.how]} ${object}${source}${where}${top}`;
}
