import { describe, expect, it } from "vitest";
import { tokenText, tokenWords } from "./token";

describe("tokens as text", () => {
  it.each([
    ["a line break", "\n", "\u23ce"],
    ["a tab", "\t", "\u21e5"],
    ["a null", "a\u0000b", "a\u2400b"],
    ["a turn of direction", "\u202eabc", "\u27e8U+202E\u27e9abc"],
    ["a joiner of no width", "a\u200bb", "a\u27e8U+200B\u27e9b"],
    ["markup", "<b>", "<b>"],
    ["nothing", "", ""],
  ])("%s is visible", (_, token, text) => {
    expect(tokenText(token)).toBe(text);
  });

  it("are short, whatever their length", () => {
    expect(tokenText("x".repeat(1_000_000))).toHaveLength(32);
    expect(tokenText("x".repeat(32))).toBe("x".repeat(32));
  });

  it("show their leading space as a dot, and a space alone as one", () => {
    expect(tokenWords(" Mary")).toBe("\u00b7Mary");
    expect(tokenWords(" ")).toBe("\u00b7");
  });
});
