// Which states lie on the way to the one that is shown, and on the way that redo leads.
import type { HistoryNode } from "../../protocol/generated";

/** The state that is shown, the one that undo goes to, and so on to the first. */
export function lineOf(nodes: readonly HistoryNode[], current: number): Set<number> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const line = new Set<number>();
  for (let id: number | null = current; id !== null && !line.has(id); ) {
    line.add(id);
    id = byId.get(id)?.parent ?? null;
  }
  return line;
}
