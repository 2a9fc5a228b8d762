import { describe, expect, it } from "vitest";
import type { PromptRow } from "../../protocol/generated";
import { positionWords } from "./positions";

function prompt(n: number, labels: Record<number, string> = {}, padding = 0): PromptRow {
  return {
    columns: Array.from({ length: n }, (_, i) => ({
      clean: "a",
      corrupted: "a",
      differs: false,
      labels: labels[i] === undefined ? [] : [labels[i]],
      padding: i < padding,
      clean_id: null,
      corrupted_id: null,
    })),
    answer: ["b"],
    wrong: ["c"],
  };
}
const span = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe("positions in words", () => {
  it("are labels where there are some, and ranges where three or more follow each other", () => {
    expect(positionWords(null, prompt(9))).toBe("all positions");
    expect(positionWords([2, 5, 6], prompt(9, { 5: "S2" }))).toBe("2, S2, 6");
    expect(positionWords([1, 2, 3, 4, 7, 8], prompt(9))).toBe("1\u20134, 7, 8");
    expect(positionWords([1, 2, 3, 4, 5], prompt(9, { 3: "IO" }))).toBe("1, 2, IO, 4, 5");
  });

  it("are counted in the prompt's own tokens", () => {
    expect(positionWords([0, 1, 2, 3, 4], prompt(9, {}, 2))).toBe("0\u20132");
    expect(positionWords([0, 1], prompt(9, {}, 2))).toBe("no token of this prompt");
  });

  it("stay one short line however many there are", () => {
    expect(positionWords(span(0, 1999), prompt(2000))).toBe("0\u20131999");
    const odd = span(0, 999).map((i) => 2 * i);
    expect(positionWords(odd, prompt(2000))).toBe("0, 2, 4, 6, 8, 10 and 994 more");
  });
});
