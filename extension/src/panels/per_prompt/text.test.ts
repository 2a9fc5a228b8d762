import { expect, it } from "vitest";
import { promptText } from "./text";

const column = (clean: string, corrupted: string | null = clean, padding = false) => ({
  clean,
  corrupted,
  differs: clean !== corrupted,
  labels: [],
  padding,
  clean_id: null,
  corrupted_id: null,
});
const prompt = (...columns: ReturnType<typeof column>[]) => ({
  columns,
  answer: [" a"],
  wrong: null,
});

it("is the tokens of the run joined, without padding and the mark of the start", () => {
  const row = prompt(
    column("", "", true),
    column("<|bos|>"),
    column("When"),
    column(" John", " Mary"),
  );
  expect(promptText(row, "clean")).toBe("When John");
  expect(promptText(row, "corrupted")).toBe("When Mary");
  expect(promptText(prompt(column("a", null)), "corrupted")).toBe("a");
});

it("is short and visible, whatever the tokens are", () => {
  const text = promptText(prompt(column("\u202e"), column("x".repeat(1_000_000))), "clean");
  expect(text.length).toBeLessThan(300);
  expect(text.startsWith("\u27e8U+202E\u27e9")).toBe(true);
});
