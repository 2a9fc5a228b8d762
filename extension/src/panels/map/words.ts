// Cells and maps in words, for labels, captions and screen readers.
import { signed } from "../../parts/number";
import { tokenWords } from "../../parts/token";
import type { EffectMap } from "../../protocol/decode";
import type { PromptRow } from "../../protocol/generated";
import type { MapOver } from "../../store/state";
import { paddingOf } from "../prompts/Prompts";
import { type CellEdit, cellName, effectAt, estimateAt, isByPosition } from "./cells";

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

/** "head 9.6: effect −0.58 logits, edited: zero". */
export function cellWords(
  map: EffectMap,
  row: number,
  column: number,
  edit: CellEdit | null,
  context: { unit: string; stale: boolean },
): string {
  const name = cellName(map, row, column);
  const subject = map.over === "head" || map.over === "head_pos" ? `head ${name}` : name;
  const effect = effectAt(map, row, column);
  const estimate = estimateAt(map, row, column);
  const size =
    effect !== null
      ? `effect ${signed(effect)} ${context.unit}`
      : estimate !== null
        ? `effect about ${signed(estimate)} ${context.unit}, approximate`
        : "not computed yet";
  const old = (effect ?? estimate) !== null && context.stale ? ", before the last step" : "";
  const edited =
    edit === null ? "" : `, edited: ${edit.how}${edit.enabled ? "" : ", switched off"}`;
  return `${subject}: ${size}${old}${edited}`;
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
