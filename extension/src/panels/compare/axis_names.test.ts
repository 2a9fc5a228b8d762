// Names beside a small map: all where there is room, fewer where there is not, none on top of another.
import { describe, expect, it } from "vitest";
import type { PromptRow } from "../../protocol/generated";
import type { Comparable } from "../map/look/difference";
import { type AxisName, columnNames, rowNames } from "./axis_names";

const HEADS: Comparable = {
  over: "head",
  layers: Array.from({ length: 12 }, (_, i) => i),
  shape: [12, 12],
  index: null,
  effect: new Float32Array(144),
  known: new Uint8Array(144),
};
const prompt = (labels: Record<number, string>): PromptRow => ({
  columns: Array.from({ length: 15 }, (_, i) => ({
    clean: ` token${i}`,
    corrupted: null,
    differs: false,
    labels: labels[i] === undefined ? [] : [labels[i]],
    padding: i === 0,
    clean_id: i,
    corrupted_id: null,
  })),
  answer: [],
  wrong: [],
});
const POSITIONS: Comparable = { ...HEADS, over: "resid_pre", shape: [12, 15] };
const texts = (names: readonly AxisName[]): string[] => names.map(({ text }) => text);

describe("the names of a small map", () => {
  it("are all there where each has room", () => {
    expect(texts(rowNames(HEADS, 240))).toEqual(HEADS.layers.map(String));
    expect(texts(columnNames(HEADS, undefined, 240))).toEqual(HEADS.layers.map(String));
  });

  it("are every second or third in a narrow panel", () => {
    expect(texts(rowNames(HEADS, 81))).toEqual(["0", "2", "4", "6", "8", "10"]);
    expect(texts(columnNames(HEADS, undefined, 108))).toEqual(["0", "3", "6", "9"]);
  });

  it("of rows are the layers that the map has, or the heads of its one layer", () => {
    const some = { ...HEADS, layers: [5, 7, 9], shape: [3, 12] };
    expect(texts(rowNames(some, 240))).toEqual(["5", "7", "9"]);
    const one = { ...HEADS, over: "head_pos" as const, layers: [4], shape: [3, 15] };
    expect(texts(rowNames(one, 240))).toEqual(["0", "1", "2"]);
  });

  it("of columns are tokens, of which labels come first and padding has none", () => {
    const wide = columnNames(POSITIONS, prompt({ 14: "END" }), 300);
    expect(wide[0]).toEqual({ at: 1, text: "token1", strong: false });
    expect(wide.at(-1)).toEqual({ at: 14, text: "END", strong: true });
    const narrow = columnNames(POSITIONS, prompt({ 7: "S2", 14: "END" }), 90);
    expect(texts(narrow)).toEqual(["token3", "S2", "END"]);
    const apart = narrow.slice(1).map(({ at }, i) => at - (narrow[i]?.at ?? 0));
    expect(Math.min(...apart) * (90 / 15)).toBeGreaterThanOrEqual(13);
  });
});
