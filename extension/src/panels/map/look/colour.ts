// The diverging maps: straight sRGB between stops from the strongest negative to the strongest positive effect,
// which each theme has of its own.
import type { Theme } from "../../../host";
import type { View } from "../../../protocol/generated";
import { INK_TURNS_AT, INKS, STOPS } from "../../../protocol/vocabulary.gen";

/** Named by the colour of negative effects and that of positive ones. */
export type ColourMap = View["colours"];

/** What effects are drawn with: one object a theme and map, so that it can be compared. */
export interface Palette {
  theme: Theme;
  stops: readonly string[];
}

function bothThemes(of: Record<Theme, readonly string[]>): Record<Theme, Palette> {
  return {
    light: { theme: "light", stops: of.light },
    dark: { theme: "dark", stops: of.dark },
  };
}

export const PALETTES: Record<ColourMap, Record<Theme, Palette>> = {
  "orange-blue": bothThemes(STOPS["orange-blue"]),
  "purple-green": bothThemes(STOPS["purple-green"]),
};

export const COLOUR_MAPS = Object.keys(PALETTES) as ColourMap[];

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
export function colourOf(effect: number, clip: number, { stops }: Palette): string {
  const share = clip > 0 ? Math.max(-1, Math.min(1, effect / clip)) : 0;
  const x = ((share + 1) / 2) * (stops.length - 1);
  const i = Math.min(stops.length - 2, Math.floor(x));
  const from = parse(stops[i] ?? "#000000");
  const to = parse(stops[i + 1] ?? "#000000");
  const mixed = from.map((v, k) => Math.round(v + ((to[k] ?? 0) - v) * (x - i)));
  return `#${mixed.map((v) => v.toString(16).padStart(2, "0")).join("")}`;
}

/** Black or white, whichever stands out more on `fill`: never under a contrast of 4.58. */
export function inkOn(fill: string): (typeof INKS)[number] {
  return luminance(fill) > INK_TURNS_AT ? INKS[0] : INKS[1];
}
