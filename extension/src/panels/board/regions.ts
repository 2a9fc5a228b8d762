// How the room of the board is shared out, and what a person made of it: kept in the browser, used by
// every board that is opened after.

/** The main row's share-out. Null is "as designed". */
export interface Regions {
  /** The map's share of what map and detail have together. */
  map: number | null;
  /** Width of the side column (px). */
  side: number | null;
  /** Height of the main row (px). */
  height: number | null;
}

export const AS_DESIGNED: Regions = { map: null, side: null, height: null };

/** Widths of the whole board from which there are three columns, and two (px); the same as in layout.css. */
const THREE_COLUMNS = 1080;
const TWO_COLUMNS = 820;
/** What its borders take of it (px). */
const BORDERS = 2;

/** How many columns a main row so wide has. */
export function columnsAt(width: number): 1 | 2 | 3 {
  const whole = width + BORDERS;
  return whole >= THREE_COLUMNS ? 3 : whole >= TWO_COLUMNS ? 2 : 1;
}

/** No region is made narrower than its content can bear (px). */
const MAP_LEAST = 372;
const DETAIL_LEAST = 340;
export const SIDE = { least: 220, most: 420, designed: [252, 300], share: 0.21 } as const;
export const HEIGHT = { least: 360, most: 1200 } as const;
const MAP_DESIGNED = { three: 0.53, two: 0.515 } as const;

/** Height of tabs, caption, labels and legend around the rows of a map (px). */
const AROUND_ROWS = 236;
/** Height of a row, of all rows of a shallow model as far as that goes, and of all of a deep one (px). */
const ROW = { least: 14, common: 24, most: 36 } as const;
const ROWS = { shallow: 200, deep: 420, most: 480 } as const;
/** Layers up to which every row is as high as is comfortable. */
const COMFORTABLE = 12;

const KEY = "circuitboard.regions";

export function clamp(x: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, x));
}

/** The height that the map of a model of so many layers takes, within reason; 0 is "not known yet". */
export function mapHeight(layers: number): number {
  const n = layers === 0 ? COMFORTABLE : layers;
  const rows =
    n <= COMFORTABLE
      ? n * clamp(Math.floor(ROWS.shallow / n), ROW.common, ROW.most)
      : clamp(ROW.least * n, ROWS.deep, ROWS.most);
  return AROUND_ROWS + rows;
}

/** The height of the main row as designed: room for the map, and never less than a detail needs. */
export function designedHeight(layers: number): number {
  return Math.max(mapHeight(COMFORTABLE), mapHeight(layers));
}

/** What can be moved in a board of some width, as it is and between which ends. */
export interface Measures {
  /** The map's share in percent. */
  map: { now: number; least: number; most: number; designed: number };
  side: { now: number; least: number; most: number; designed: number };
  height: { now: number; least: number; most: number; designed: number };
}

/** The share-out in force in a board `width` px wide, of a model with so many layers. */
export function measures(regions: Regions, width: number, layers: number): Measures {
  const three = columnsAt(width) === 3;
  const room = Math.max(1, width - MAP_LEAST - DETAIL_LEAST);
  const most = clamp(room, SIDE.least, SIDE.most);
  const designedSide = clamp(Math.round(SIDE.share * width), ...SIDE.designed);
  const side = clamp(regions.side ?? designedSide, SIDE.least, most);
  const both = Math.max(1, width - (three ? side : 0));
  const least = (100 * MAP_LEAST) / both;
  const widest = 100 - (100 * DETAIL_LEAST) / both;
  const designed = 100 * (three ? MAP_DESIGNED.three : MAP_DESIGNED.two);
  const wanted = regions.map === null ? designed : 100 * regions.map;
  return {
    map: { now: clamp(wanted, least, Math.max(least, widest)), least, most: widest, designed },
    side: { now: side, least: SIDE.least, most, designed: designedSide },
    height: {
      now: clamp(regions.height ?? designedHeight(layers), HEIGHT.least, HEIGHT.most),
      least: HEIGHT.least,
      most: HEIGHT.most,
      designed: designedHeight(layers),
    },
  };
}

function finite(x: unknown): number | null {
  return typeof x === "number" && Number.isFinite(x) ? x : null;
}

/** What was kept; as designed where there is nothing, or nothing that can be read. */
export function storedRegions(): Regions {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? "null");
    if (typeof stored !== "object" || stored === null) return AS_DESIGNED;
    const { map, side, height } = stored as Record<string, unknown>;
    return { map: finite(map), side: finite(side), height: finite(height) };
  } catch {
    // A host may forbid storage altogether.
    return AS_DESIGNED;
  }
}

/** Keep a share-out for boards to come. */
export function keep(regions: Regions): void {
  try {
    if (Object.values(regions).every((x) => x === null)) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, JSON.stringify(regions));
  } catch {
    // Storage may be forbidden or full: the board keeps its share-out while it is open.
  }
}
