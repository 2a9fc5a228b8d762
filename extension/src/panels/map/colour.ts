// The diverging map: 11 stops from the strongest negative to the strongest positive effect, straight
// sRGB between them. Each theme has its own, equal in lightness at ±k and told apart by people with
// protan, deutan and tritan vision.
import type { Theme } from "../../host";

export const STOPS: Record<Theme, readonly string[]> = {
  light: [
    "#a84811",
    "#d06b26",
    "#e8914c",
    "#f2b984",
    "#f4d9bb",
    "#f1f1ef",
    "#cce1f4",
    "#a1cbf1",
    "#75aee9",
    "#4c8dd7",
    "#2d68b8",
  ],
  dark: [
    "#f5ad5a",
    "#d2833b",
    "#a76231",
    "#7f4a2b",
    "#593827",
    "#2d2d2d",
    "#2d4261",
    "#355b8b",
    "#3f79b7",
    "#539ee1",
    "#7dc6fe",
  ],
};

type Rgb = readonly [number, number, number];

function parse(hex: string): Rgb {
  return [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16)) as unknown as Rgb;
}

function channel(value: number): number {
  const x = value / 255;
  return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
}

/** Relative luminance, 0 to 1, as WCAG defines it. */
export function luminance(hex: string): number {
  const [r, g, b] = parse(hex);
  return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
}

/** The colour of an effect on a scale of ±clip; beyond the ends it stays at the end. */
export function colourOf(effect: number, clip: number, theme: Theme): string {
  const stops = STOPS[theme];
  const share = clip > 0 ? Math.max(-1, Math.min(1, effect / clip)) : 0;
  const x = ((share + 1) / 2) * (stops.length - 1);
  const i = Math.min(stops.length - 2, Math.floor(x));
  const from = parse(stops[i] ?? "#000000");
  const to = parse(stops[i + 1] ?? "#000000");
  const mixed = from.map((v, k) => Math.round(v + ((to[k] ?? 0) - v) * (x - i)));
  return `#${mixed.map((v) => v.toString(16).padStart(2, "0")).join("")}`;
}

/** Black or white, whichever stands out more on `fill`: never under a contrast of 4.58. */
export function inkOn(fill: string): "#000" | "#fff" {
  return luminance(fill) > 0.179 ? "#000" : "#fff";
}
