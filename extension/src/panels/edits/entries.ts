// The list of edits as it is drawn: a group stands where its first edit acts, with its edits under it.
import type { EditRow, GroupRow } from "../../protocol/generated";

/** An edit and its place in `Snapshot.edits`, which is its place in the order in which edits act. */
export interface Placed {
  edit: EditRow;
  index: number;
}

export interface Grouped {
  group: GroupRow;
  members: Placed[];
}

export type Entry = Placed | Grouped;

export function isGroup(entry: Entry): entry is Grouped {
  return "members" in entry;
}

export function entriesOf(edits: readonly EditRow[], groups: readonly GroupRow[]): Entry[] {
  const entries: Entry[] = [];
  const byName = new Map<string, Grouped>();
  edits.forEach((edit, index) => {
    if (edit.group === null) {
      entries.push({ edit, index });
      return;
    }
    const earlier = byName.get(edit.group);
    if (earlier !== undefined) {
      earlier.members.push({ edit, index });
      return;
    }
    const name = edit.group;
    const group = groups.find((row) => row.name === name) ?? { name, effect: null };
    const entry = { group, members: [{ edit, index }] };
    byName.set(name, entry);
    entries.push(entry);
  });
  return entries;
}
