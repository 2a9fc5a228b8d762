// What taking edits away and switching them make of the list, on a fake kernel.
import type { AnyRequest, EditRow } from "../src/protocol/generated";
import { toReal } from "./fake_numbers";

type Edits = readonly EditRow[];
export type ListRequest = Extract<AnyRequest, { kind: "remove" | "toggle" }>;

function switched(edit: EditRow, enabled: boolean): EditRow {
  return { ...edit, enabled, norm_change: enabled ? toReal(20) : null };
}

/** The list after a step. */
export function listAfter({ kind, index }: ListRequest, edits: Edits): Edits {
  const which = [index].flat();
  if (kind === "remove") return edits.filter((_, i) => !which.includes(i));
  const on = !which.some((i) => edits[i]?.enabled);
  return edits.map((edit, i) => (which.includes(i) ? switched(edit, on) : edit));
}
