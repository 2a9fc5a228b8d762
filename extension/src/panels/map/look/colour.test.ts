import { describe, expect, it } from "vitest";
import { COLOUR_MAPS, colourOf, inkOn, luminance, PALETTES } from "./colour";

type Rgb = readonly [number, number, number];
type Matrix = readonly [Rgb, Rgb, Rgb];

/** Who lacks one kind of cones sees so much of linear red, green and blue (Machado et al. 2009, severity 1). */
const SIGHT: Record<string, Matrix> = {
  all: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protan: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deutan: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritan: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

function times(m: Matrix, v: Rgb): Rgb {
  return m.map((row) => row[0] * v[0] + row[1] * v[1] + row[2] * v[2]) as unknown as Rgb;
}

/** Lightness, and the two axes of colour, of Ottosson's OKLab. */
function perceived(hex: string, sight: Matrix): Rgb {
  const linear = [1, 3, 5].map((i) => {
    const x = Number.parseInt(hex.slice(i, i + 2), 16) / 255;
    return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
  }) as unknown as Rgb;
  const seen = times(sight, linear).map((x) => Math.min(1, Math.max(0, x))) as unknown as Rgb;
  const cones = times(
    [
      [0.4122214708, 0.5363325363, 0.0514459929],
      [0.2119034982, 0.6806995451, 0.1073969566],
      [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    seen,
  ).map(Math.cbrt) as unknown as Rgb;
  return times(
    [
      [0.2104542553, 0.793617785, -0.0040720468],
      [1.9779984951, -2.428592205, 0.4505937099],
      [0.0259040371, 0.7827717662, -0.808675766],
    ],
    cones,
  );
}

function difference(a: string, b: string, sight: Matrix): number {
  const [x, y] = [perceived(a, sight), perceived(b, sight)];
  return 100 * Math.hypot(x[0] - y[0], x[1] - y[1], x[2] - y[2]);
}

const EACH = COLOUR_MAPS.flatMap((name) =>
  (["light", "dark"] as const).map((theme) => [name, theme] as const),
);

describe.each(EACH)("the map %s, %s", (name, theme) => {
  const palette = PALETTES[name][theme];
  const stops = palette.stops as string[];
  const mirrored = [1, 2, 3, 4, 5].map((k) => [stops[5 - k] ?? "", stops[5 + k] ?? ""] as const);

  it("has its stops where they belong", () => {
    expect(stops).toHaveLength(11);
    expect(colourOf(0, 1, palette)).toBe(stops[5]);
    expect(colourOf(1, 1, palette)).toBe(stops[10]);
    expect(colourOf(-1, 1, palette)).toBe(stops[0]);
    expect(colourOf(0.2, 1, palette)).toBe(stops[6]);
    expect(colourOf(99, 1, palette)).toBe(stops[10]);
  });

  it("is the same neutral colour as the others where there is no effect or no scale", () => {
    const neutral = PALETTES["orange-blue"][theme].stops[5];
    expect(colourOf(0, 1, palette)).toBe(neutral);
    expect(colourOf(3, 0, palette)).toBe(neutral);
  });

  it("keeps numbers readable on every fill", () => {
    for (let x = -1; x <= 1; x += 0.01) {
      const fill = colourOf(x, 1, palette);
      const [a, b] = [luminance(fill), inkOn(fill) === "#000" ? 0 : 1];
      const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      expect(contrast).toBeGreaterThan(4.5);
    }
  });

  it("is as light for an effect as for its opposite, and stands out more the larger that is", () => {
    const lightness = stops.map((stop) => perceived(stop, SIGHT.all as Matrix)[0]);
    const away = theme === "light" ? -1 : 1;
    for (let k = 1; k <= 5; k += 1) {
      const [low = 0, high = 0] = [lightness[5 - k], lightness[5 + k]];
      expect(Math.abs(low - high)).toBeLessThan(0.003);
      const before = [lightness[6 - k] ?? 0, lightness[4 + k] ?? 0] as const;
      expect(Math.min(away * (low - before[0]), away * (high - before[1]))).toBeGreaterThan(0.03);
    }
  });

  it.each(Object.keys(SIGHT))("tells an effect from its opposite: %s", (kind) => {
    const sight = SIGHT[kind] as Matrix;
    // 2 is just visible.
    for (const [low, high] of mirrored) expect(difference(low, high, sight)).toBeGreaterThan(7.5);
    const [lowest, highest] = mirrored[4] ?? ["", ""];
    expect(difference(lowest, highest, sight)).toBeGreaterThan(17);
  });
});
