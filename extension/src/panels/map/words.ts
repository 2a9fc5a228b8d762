// Cells and maps in words, for labels, captions and screen readers.
import { signed } from "../../parts/number";
import { tokenWords } from "../../parts/token";
import type { EffectMap } from "../../protocol/decode";
import type { PromptRow } from "../../protocol/generated";
import { paddingOf } from "../prompts/Prompts";
import { type CellEdit, cellName, effectAt, estimateAt } from "./cells";

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
  const name = cellName(map.over, row, column);
  const subject = map.over === "head" ? `head ${name}` : name;
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
  const object = map.over === "head" ? "each head" : "the residual stream at one position";
  const source = map.how === "patch" ? ` from ${map.base === "clean" ? "corrupted" : "clean"}` : "";
  const where =
    map.over === "resid_pre" || map.positions === null
      ? ""
      : ` at ${map.positions.map((p) => tokenWords(prompt?.columns[p]?.labels[0] ?? String(p - paddingOf(prompt)), 10)).join(", ")}`;
  const top =
    map.n_edits === 0
      ? `, on the ${map.base} run`
      : `, on top of ${map.n_edits} ${map.n_edits === 1 ? "edit" : "edits"}`;
  return `Effect of ${DOING[map.how]} ${object}${source}${where}${top}`;
}
