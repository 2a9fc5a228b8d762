// The edits of the selected component, and how its state is said.
import type { EditRow } from "../../protocol/generated";
import type { Selection } from "../../store/selection";
import type { Mode } from "../../store/state";

export interface Own {
  index: number;
  edit: EditRow;
}

const DONE: Record<string, string> = {
  zero: "zeroed",
  mean: "set to its mean",
  resample: "resampled",
  patch: "patched",
  scale: "scaled",
  add: "added to",
  set: "set",
  freeze: "frozen",
};

const DO: Record<Mode, string> = {
  zero: "Zero",
  mean: "Set to mean",
  resample: "Resample",
  patch: "Patch",
};

/** What the button says that edits it. */
export const editWords = (mode: Mode): string => DO[mode];

/** Layer and index of a head's address, "9.6" or "9.6.q"; null for other components. */
export function headOf(site: string): [layer: number, head: number] | null {
  const match = /^(\d+)\.(\d+)(?:\.|$)/.exec(site);
  return match === null ? null : [Number(match[1]), Number(match[2])];
}

/** Edits of a component, switched off or not: of a head, those of its parts too. */
export function ownEdits(edits: readonly EditRow[], { site, position }: Selection): Own[] {
  const head = headOf(site);
  return edits.flatMap((edit, index) => {
    const whole = head !== null && position === null && /^\d+\.\d+$/.test(site);
    const mine =
      edit.kind !== "edge" &&
      (whole
        ? /^head(?!\.[kv]$)/.test(edit.kind) && edit.layer === head[0] && edit.index === head[1]
        : edit.site === site);
    const there =
      position === null ||
      (edit.positions !== null && edit.positions.length === 1 && edit.positions[0] === position);
    return mine && there ? [{ index, edit }] : [];
  });
}

/** "zeroed, all positions"; "2 edits" for more than one. */
export function stateWords(own: readonly Own[]): string {
  const [first] = own;
  if (first === undefined) return "not edited";
  if (own.length > 1) return `${own.length} edits`;
  const { how, kind, positions, sources, at, enabled } = first.edit;
  const off = enabled ? "" : ", switched off";
  if (kind === "head.pattern" && positions !== null && sources !== null) {
    const cells = positions.length * sources.length;
    return `${cells} ${cells === 1 ? "cell" : "cells"} of its pattern ${DONE[how] ?? how}${off}`;
  }
  const part = kind === "head.pattern" ? "pattern " : "";
  const where = positions === null && at === "all" ? "all positions" : `at ${at}`;
  return `${part}${DONE[how] ?? how}, ${where}${off}`;
}
