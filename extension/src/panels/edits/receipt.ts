// What an edit changed, in words.
import { plain, signed } from "../../parts/number";
import { realOrNull } from "../../protocol/decode";
import type { EditRow } from "../../protocol/generated";

/** The receipt of an edit. */
export function receiptWords(edit: EditRow, unit: string): string {
  const before = realOrNull(edit.norm_before);
  const change = realOrNull(edit.norm_change);
  const effect = realOrNull(edit.effect);
  const lines = [
    change === null
      ? "Switched off: changes nothing now."
      : change === 0
        ? "Changes nothing: the activation is what it was."
        : `Activation norm ${before === null ? "?" : plain(before)}, norm of the change ${plain(change)}.`,
    effect === null ? "" : `Effect with the other edits in force: ${signed(effect, 4)} ${unit}.`,
  ];
  return lines.filter((line) => line !== "").join(" ");
}
