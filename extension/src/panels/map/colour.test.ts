import { describe, expect, it } from "vitest";
import { colourOf, inkOn, luminance, STOPS } from "./colour";

describe("the diverging map", () => {
  it.each(["light", "dark"] as const)("%s has its stops where they belong", (theme) => {
    expect(colourOf(0, 1, theme)).toBe(STOPS[theme][5]);
    expect(colourOf(1, 1, theme)).toBe(STOPS[theme][10]);
    expect(colourOf(-1, 1, theme)).toBe(STOPS[theme][0]);
    expect(colourOf(0.2, 1, theme)).toBe(STOPS[theme][6]);
    expect(colourOf(99, 1, theme)).toBe(STOPS[theme][10]);
  });

  it("is neutral where there is no scale", () => {
    expect(colourOf(3, 0, "light")).toBe(STOPS.light[5]);
  });

  it.each(["light", "dark"] as const)("%s keeps numbers readable on every fill", (theme) => {
    for (let x = -1; x <= 1; x += 0.01) {
      const fill = colourOf(x, 1, theme);
      const [a, b] = [luminance(fill), inkOn(fill) === "#000" ? 0 : 1];
      const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      expect(contrast).toBeGreaterThan(4.5);
    }
  });
});
