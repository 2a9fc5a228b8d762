import { describe, expect, it } from "vitest";
import type { HistoryNode } from "../../protocol/generated";
import { listed } from "./order";

const node = (id: number, parent: number | null): HistoryNode => ({
  id,
  parent,
  label: `step ${id}`,
  value: null,
  note: null,
});
const rows = (nodes: HistoryNode[]): [number, number][] =>
  listed(nodes).map((row) => [row.node.id, row.depth]);

describe("the order of states", () => {
  it("of a line of steps is that of the steps", () => {
    expect(rows([node(0, null), node(1, 0), node(2, 1)])).toEqual([
      [0, 0],
      [1, 0],
      [2, 0],
    ]);
  });

  it("has what was left for another step indented above what came instead", () => {
    // 0 → 1 → 2, back to 1 → 3 → 4, back to 0 → 5.
    const nodes = [node(0, null), node(1, 0), node(2, 1), node(3, 1), node(4, 3), node(5, 0)];
    expect(rows(nodes)).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
      [3, 1],
      [4, 1],
      [5, 0],
    ]);
    expect(listed(nodes).find((row) => row.node.id === 3)?.parent?.id).toBe(1);
  });

  it("keeps every state of a long line, and one whose parent was not sent", () => {
    const line = Array.from({ length: 5000 }, (_, i) => node(i, i === 0 ? null : i - 1));
    expect(rows(line)).toHaveLength(5000);
    expect(rows([node(0, null), node(7, 6)])).toEqual([
      [0, 0],
      [7, 0],
    ]);
  });
});
