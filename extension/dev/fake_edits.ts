// What the steps of the list of edits make of it, on a fake kernel.
import type { AnyRequest, EditRow, GroupRow } from "../src/protocol/generated";
import { toReal } from "./fake_numbers";

type Edits = readonly EditRow[];
type Kinds = "remove" | "toggle" | "set_strength" | "move" | "group" | "rename";
export type ListRequest = Extract<AnyRequest, { kind: Kinds }>;

const KINDS: ReadonlySet<string> = new Set<Kinds>([
  "remove",
  "toggle",
  "set_strength",
  "move",
  "group",
  "rename",
]);

export function isOfTheList(request: AnyRequest): request is ListRequest {
  return KINDS.has(request.kind);
}

function switched(edit: EditRow, enabled: boolean): EditRow {
  return { ...edit, enabled, norm_change: enabled ? toReal(20) : null };
}

/** The list after a step; `strengthened` is an edit with another strength. */
export function listAfter(
  request: ListRequest,
  edits: Edits,
  strengthened: (edit: EditRow, strength: number) => EditRow,
): { edits: Edits; label: string } {
  switch (request.kind) {
    case "remove": {
      const gone = [request.index].flat();
      return { edits: edits.filter((_, i) => !gone.includes(i)), label: "remove" };
    }
    case "toggle": {
      const which = [request.index].flat();
      const on = !which.some((i) => edits[i]?.enabled);
      return {
        edits: edits.map((edit, i) => (which.includes(i) ? switched(edit, on) : edit)),
        label: "toggle",
      };
    }
    case "set_strength":
      return {
        edits: edits.map((edit, i) =>
          i === request.index ? strengthened(edit, request.strength) : edit,
        ),
        label: `strength ${request.strength}`,
      };
    case "move": {
      const moved = [...edits];
      moved.splice(request.to, 0, ...moved.splice(request.index, 1));
      return { edits: moved, label: "move" };
    }
    case "group":
      return {
        edits: edits.map((edit, i) =>
          request.indices.includes(i)
            ? { ...edit, group: request.name }
            : { ...edit, group: edit.group === request.name ? null : edit.group },
        ),
        label: request.name === null ? "ungroup" : `group ${request.name}`,
      };
    case "rename": {
      const { which, name } = request;
      const renamed = (edit: EditRow, i: number): EditRow => {
        if (typeof which === "string")
          return edit.group === which ? { ...edit, group: name } : edit;
        return i === which ? { ...edit, name } : edit;
      };
      return { edits: edits.map(renamed), label: `name ${which}: ${name}` };
    }
  }
}

/** The groups of a list, each with the sum of its effects. */
export function groupsOf(edits: Edits): GroupRow[] {
  const names = [...new Set(edits.map(({ group }) => group))].filter((name) => name !== null);
  return names.map((name) => {
    const members = edits.filter(({ group, enabled }) => group === name && enabled);
    const effect = members.reduce((sum, edit) => sum + (edit.effect?.value ?? 0), 0);
    return { name, effect: members.length === 0 ? null : toReal(effect) };
  });
}
