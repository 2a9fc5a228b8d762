import { describe, expect, it } from "vitest";
import type { EditRow } from "../../../protocol/generated";
import { keyOf } from "./cell";
import { between, brushWords, drawnCells, editsOf, LOOKING } from "./drawing";

const same = (i: number): number => i;
const zero = { tool: "zero", value: 1, renormalize: true } as const;

describe("a stroke", () => {
  it("becomes one edit for rows with the same cells", () => {
    const cells = [
      { dest: 14, src: 3 },
      { dest: 14, src: 1 },
      { dest: 13, src: 1 },
      { dest: 13, src: 3 },
      { dest: 9, src: 0 },
      { dest: 9, src: 0 },
    ];
    expect(editsOf("9.6", cells, zero, same)).toEqual([
      { site: "9.6.pattern @ 9 <- 0", how: "zero", renormalize: true },
      { site: "9.6.pattern @ 13, 14 <- 1, 3", how: "zero", renormalize: true },
    ]);
  });

  it("counts from the end where prompts differ in length", () => {
    const set = { tool: "set", value: 0.5, renormalize: false } as const;
    expect(editsOf("0.1", [{ dest: 4, src: 2 }], set, (i) => i - 5)).toEqual([
      { site: "0.1.pattern @ -1 <- -3", how: "set", values: [0.5] },
    ]);
  });

  it("passes over every cell between two, and none that looks ahead", () => {
    expect(between({ dest: 3, src: 0 }, { dest: 3, src: 2 })).toHaveLength(3);
    expect(between({ dest: 1, src: 0 }, { dest: 1, src: 4 })).toEqual([
      { dest: 1, src: 0 },
      { dest: 1, src: 1 },
    ]);
    expect(between({ dest: 2, src: 2 }, { dest: 2, src: 2 })).toHaveLength(2);
  });

  it("says its rule", () => {
    expect(brushWords(LOOKING)).toContain("reads");
    expect(brushWords(zero)).toContain("scaled so that it sums to what it did");
    expect(brushWords({ ...zero, tool: "set", renormalize: false })).toBe(
      "Click or drag: cells become 1; the other cells of the row stay as they are.",
    );
  });
});

describe("edits of a pattern", () => {
  const edit = (change: Partial<EditRow>): EditRow =>
    ({
      kind: "head.pattern",
      layer: 9,
      index: 6,
      positions: [4],
      sources: [2],
      enabled: true,
      ...change,
    }) as EditRow;

  it("hold their cells, the last one of each", () => {
    const cells = drawnCells(
      [edit({}), edit({ sources: [2, 3] }), edit({ index: 7, positions: [3] })],
      9,
      6,
      5,
      0,
    );
    expect([...cells.keys()].sort()).toEqual(["4 2", "4 3"]);
    expect(cells.get(keyOf({ dest: 4, src: 2 }))?.index).toBe(1);
  });

  it("that are of whole rows hold all that is seen from there", () => {
    expect(drawnCells([edit({ sources: null })], 9, 6, 5, 2).size).toBe(3);
    expect(drawnCells([edit({ enabled: false })], 9, 6, 5, 0).size).toBe(0);
  });
});
