// Drawing on an attention pattern: strokes, the edits that they become, and the cells that edits hold.
import type { EditRow, EditSpec } from "../../../protocol/generated";
import { keyOf, type PatternCell } from "./cell";

export type Tool = "look" | "zero" | "set";

export interface Brush {
  tool: Tool;
  /** What "set" sets cells to. */
  value: number;
  /** Whether the rest of a row makes up for what is drawn. */
  renormalize: boolean;
}

export const LOOKING: Brush = { tool: "look", value: 1, renormalize: true };

/** What a stroke does, in one sentence. */
export function brushWords({ tool, value, renormalize }: Brush): string {
  if (tool === "look") return "A click reads the head at that row and token.";
  const what =
    tool === "zero" ? "Click or drag: cells become 0" : `Click or drag: cells become ${value}`;
  return `${what}; ${
    renormalize
      ? "the other cells of the row are scaled so that it sums to what it did."
      : "the other cells of the row stay as they are."
  }`;
}

/** The cells between two that a pointer passed over, those that look ahead left out. */
export function between(from: PatternCell, to: PatternCell): PatternCell[] {
  const steps = Math.max(Math.abs(to.dest - from.dest), Math.abs(to.src - from.src), 1);
  const cells: PatternCell[] = [];
  for (let i = 0; i <= steps; i += 1) {
    const dest = Math.round(from.dest + ((to.dest - from.dest) * i) / steps);
    const src = Math.round(from.src + ((to.src - from.src) * i) / steps);
    if (src <= dest) cells.push({ dest, src });
  }
  return cells;
}

type StrokeEdit = Pick<EditSpec, "site" | "how"> & Partial<EditSpec>;

/**
 * The edits that a stroke becomes: one a set of rows with the same cells, so that a row is renormalised
 * once. `position` writes a cell's index as a position of the prompts.
 */
export function editsOf(
  head: string,
  cells: readonly PatternCell[],
  brush: Brush,
  position: (i: number) => number,
): StrokeEdit[] {
  const rows = new Map<number, Set<number>>();
  for (const { dest, src } of cells) {
    const row = rows.get(dest) ?? new Set<number>();
    row.add(src);
    rows.set(dest, row);
  }
  const alike = new Map<string, number[]>();
  for (const [dest, sources] of [...rows].sort(([a], [b]) => a - b)) {
    const key = [...sources]
      .sort((a, b) => a - b)
      .map(position)
      .join(", ");
    alike.set(key, [...(alike.get(key) ?? []), dest]);
  }
  return [...alike].map(([sources, dests]) => ({
    site: `${head}.pattern @ ${dests.map(position).join(", ")} <- ${sources}`,
    how: brush.tool === "set" ? "set" : "zero",
    ...(brush.tool === "set" ? { values: [brush.value] } : {}),
    ...(brush.renormalize ? { renormalize: true } : {}),
  }));
}

/** An edit of a head's pattern, and the place of it in the list of edits. */
export interface Drawn {
  index: number;
  edit: EditRow;
}

/** The cells of a pattern of `n` tokens that edits in force hold: the last edit of each. */
export function drawnCells(
  edits: readonly EditRow[],
  layer: number,
  head: number,
  n: number,
  first: number,
): Map<string, Drawn> {
  const cells = new Map<string, Drawn>();
  const every = Array.from({ length: n }, (_, i) => i + first);
  edits.forEach((edit, index) => {
    if (edit.kind !== "head.pattern" || !edit.enabled) return;
    if (edit.layer !== layer || edit.index !== head) return;
    for (const dest of edit.positions ?? every)
      for (const src of edit.sources ?? every)
        if (src <= dest)
          cells.set(keyOf({ dest: dest - first, src: src - first }), { index, edit });
  });
  return cells;
}
