// Cells and maps in words, for labels, captions and screen readers.
import { plain, signed } from "../../parts/number";
import { tokenWords } from "../../parts/token";
import { type EffectMap, ESTIMATED } from "../../protocol/decode";
import type { PromptRow } from "../../protocol/generated";
import type { MapOver } from "../../store/state";
import { paddingOf } from "../prompts/positions";
import { type CellEdit, cellName, isByPosition } from "./cells";
import { errorAt, isSunkAt, kindAt, OLD, type Plane, valueAt } from "./plane";

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

function sizeWords(plane: Plane, row: number, column: number): string {
  const value = valueAt(plane, row, column);
  const kind = kindAt(plane, row, column);
  // What was drawn before the last step is no news of now: the card says it, a label does not.
  if (value === null || kind === OLD) return "not computed yet";
  const what = { a: "effect in A", b: "effect", difference: "B minus A" }[plane.side];
  return kind === ESTIMATED
    ? `${what} about ${signed(value)} ${plane.unit}, approximate`
    : `${what} ${withError(value, errorAt(plane, row, column))} ${plane.unit}`;
}

/** "head 9.6: effect −0.58 logits, edited: zero". */
export function cellWords(
  plane: Plane,
  row: number,
  column: number,
  edit: CellEdit | null,
  stale: boolean,
): string {
  const { map } = plane;
  const name = cellName(map, row, column);
  const subject = map.over === "head" || map.over === "head_pos" ? `head ${name}` : name;
  const known = kindAt(plane, row, column) !== 0 && kindAt(plane, row, column) !== OLD;
  const old = known && stale ? ", before the last step" : "";
  const sunk = isSunkAt(plane, row, column) ? ", hidden by the view" : "";
  const edited =
    edit === null ? "" : `, edited: ${edit.how}${edit.enabled ? "" : ", switched off"}`;
  return `${subject}: ${sizeWords(plane, row, column)}${old}${sunk}${edited}`;
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
