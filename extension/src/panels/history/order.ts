// The states of the board in the order in which they are listed: a line of steps reads downwards, and
// what was left for another step stands indented above what came instead.
import type { HistoryNode } from "../../protocol/generated";

export interface Listed {
  node: HistoryNode;
  /** How many branches away from the line that the newest steps continue. */
  depth: number;
  /** The state that it was reached from; null for the first. */
  parent: HistoryNode | null;
}

/** Every state once, each after its parent; of several children the newest goes on unindented. */
export function listed(nodes: readonly HistoryNode[]): Listed[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const children = new Map<number | null, HistoryNode[]>();
  for (const node of nodes) {
    const parent = node.parent !== null && byId.has(node.parent) ? node.parent : null;
    const siblings = children.get(parent) ?? [];
    children.set(parent, siblings);
    siblings.push(node);
  }
  const rows: Listed[] = [];
  // A stack of its own: a line of steps may be longer than calls nest.
  const waiting = (children.get(null) ?? []).map((node) => ({ node, depth: 0 })).reverse();
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node, depth } = next;
    rows.push({
      node,
      depth,
      parent: node.parent === null ? null : (byId.get(node.parent) ?? null),
    });
    const below = children.get(node.id) ?? [];
    const newest = below.at(-1);
    if (newest !== undefined) waiting.push({ node: newest, depth });
    for (const older of below.slice(0, -1).reverse())
      waiting.push({ node: older, depth: depth + 1 });
  }
  return rows;
}
