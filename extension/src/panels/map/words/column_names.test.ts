import { describe, expect, it } from "vitest";
import type { PromptRow } from "../../../protocol/generated";
import { columnNames } from "./column_names";

const prompt = (...tokens: readonly (readonly [string, number])[]): PromptRow => ({
  columns: tokens.map(([clean, clean_id]) => ({
    clean,
    corrupted: null,
    differs: false,
    labels: [],
    padding: clean === "",
    clean_id,
    corrupted_id: null,
  })),
  answer: [],
  wrong: null,
});

describe("the names of columns", () => {
  it("are short and leave the space in front out", () => {
    const names = columnNames(
      prompt(["", -1], [" Mary", 1], ["\u23ce", 2], ["\u00b7", 3], [" Mary", 1]),
      7,
    );
    expect(names).toEqual(["", "Mary", "\u23ce", "\u00b7", "Mary"]);
  });

  it("tell tokens apart that differ by their space or beyond the cut", () => {
    const names = columnNames(
      prompt([" Mary", 1], ["Mary", 2], ["understanding", 3], ["understood", 4], ["the", 5]),
      7,
    );
    expect(names).toEqual(["\u00b7Mary", "Mary", "und\u2026#3", "und\u2026#4", "the"]);
    expect(new Set(names).size).toBe(5);
  });

  it("tell parts of characters apart", () => {
    const names = columnNames(
      prompt(["\u27e8F0 9F 8D 95\u27e9", 1], ["\u27e8F0 9F 8D 9D\u27e9", 2], ["\u27e895\u27e9", 3]),
      7,
    );
    expect(new Set(names).size).toBe(3);
  });
});
