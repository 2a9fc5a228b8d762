// The diverging maps: 11 stops from the strongest negative to the strongest positive effect, straight
// sRGB between them. Each theme has its own, equal in lightness at ±k and told apart by people with
// protan, deutan and tritan vision.
import type { Theme } from "../../../host";
import type { View } from "../../../protocol/generated";

/** Named by the colour of negative effects and that of positive ones. */
export type ColourMap = View["colours"];

/** What effects are drawn with: one object a theme and map, so that it can be compared. */
export interface Palette {
  theme: Theme;
  stops: readonly string[];
}

const ORANGE_BLUE: Record<Theme, readonly string[]> = {
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

const PURPLE_GREEN: Record<Theme, readonly string[]> = {
  light: [
    "#923cad",
    "#b561d1",
    "#d088e9",
    "#e5aef9",
    "#f2d0fe",
    "#f1f1ef",
    "#c0ebc2",
    "#93db97",
    "#60c26b",
    "#24a63f",
    "#018027",
  ],
  dark: [
    "#e59dff",
    "#be77d7",
    "#9658ac",
    "#734283",
    "#53325f",
    "#2d2d2d",
    "#1e4d24",
    "#256a2f",
    "#338b3f",
    "#4eb15a",
    "#76d87f",
  ],
};

function bothThemes(of: Record<Theme, readonly string[]>): Record<Theme, Palette> {
  return {
    light: { theme: "light", stops: of.light },
    dark: { theme: "dark", stops: of.dark },
  };
}

export const PALETTES: Record<ColourMap, Record<Theme, Palette>> = {
  "orange-blue": bothThemes(ORANGE_BLUE),
  "purple-green": bothThemes(PURPLE_GREEN),
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
export function inkOn(fill: string): "#000" | "#fff" {
  return luminance(fill) > 0.179 ? "#000" : "#fff";
}
