// Cells and maps in words, for labels, captions and screen readers.
import { decimals, plain, signed } from "../../../parts/number";
import { tokenWords } from "../../../parts/token";
import { type EffectMap, ESTIMATED } from "../../../protocol/decode";
import type { PromptRow } from "../../../protocol/generated";
import { CHARACTERS, DOING, MAPS } from "../../../protocol/vocabulary.gen";
import { paddingOf } from "../../prompts/positions";
import { type CellEdit, cellName, isByPosition } from "../grid/cells";
import { errorAt, isStrong, isSunkAt, kindAt, type Plane, valueAt } from "../look/plane";

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

/** Positions as a sentence names them: by label where there is one, else counted in the prompt's own tokens. */
export function positionNames(positions: readonly number[], prompt: PromptRow | undefined): string {
  const names = positions.map((position) =>
    tokenWords(
      prompt?.columns[position]?.labels[0] ?? String(position - paddingOf(prompt)),
      CHARACTERS.position,
    ),
  );
  return names.join(", ");
}

/** The sentence above the map: what is done, where, on top of what. */
export function mapCaption(map: EffectMap, prompt: PromptRow | undefined): string {
  const object = MAPS[map.over].object.replace("{layer}", String(map.layers[0]));
  const source = map.how === "patch" ? ` from ${map.base === "clean" ? "corrupted" : "clean"}` : "";
  const where =
    isByPosition(map.over) || map.positions === null
      ? ""
      : ` at ${positionNames(map.positions, prompt)}`;
  const top =
    map.n_edits === 0
      ? `, on the ${map.base} run`
      : `, on top of ${map.n_edits} ${map.n_edits === 1 ? "edit" : "edits"}`;
  return `Effect of ${DOING[map.how]} ${object}${source}${where}${top}`;
}
