// The cells of a large map on a canvas, crisp at the screen's own pixels. Edited, selected, focused and
// pointed cells are elements above it, so that rings and signs are drawn in one place only.

import { ESTIMATED } from "../../../protocol/decode";
import { colourOf, inkOn, type Palette } from "../look/colour";
import type { Lines } from "../look/lines";
import { hasNumber, numberIn, OLD, type Plane } from "../look/plane";
import type { Geometry } from "./geometry";

/** Colours of the host's theme, as the canvas's own style resolves them. */
export interface PaintColours {
  ground: string;
  quiet: string;
  outline: string;
  hatch: string;
  strongHatch: string;
  font: string;
}

export interface Painting {
  plane: Plane;
  lines: Lines;
  geometry: Geometry;
  /** First column, and one past the last. */
  seen: readonly [number, number];
  scrolled: number;
  palette: Palette;
  stale: boolean;
}

type Context = CanvasRenderingContext2D;
/** A cell in device pixels: left, top, right, bottom. */
type Box = readonly [number, number, number, number];

const STEPS = 512;
const ramps = {
  fresh: new Map<Palette, readonly string[]>(),
  old: new Map<Palette, readonly string[]>(),
};

/** A diverging map in steps too small to see, as it is or as what is not up to date looks. */
function ramp(palette: Palette, old: boolean): readonly string[] {
  const kept = old ? ramps.old : ramps.fresh;
  const made = kept.get(palette);
  if (made !== undefined) return made;
  const colours = Array.from({ length: STEPS + 1 }, (_, i) => {
    const colour = colourOf(i / (STEPS / 2) - 1, 1, palette);
    return old ? paler(colour) : colour;
  });
  kept.set(palette, colours);
  return colours;
}

/** With a third of its saturation, as `filter: saturate(0.35)` makes it. */
function paler(hex: string): string {
  const rgb = [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16));
  const [r = 0, g = 0, b = 0] = rgb;
  const grey = 0.213 * r + 0.715 * g + 0.072 * b;
  const mixed = rgb.map((x) => Math.round(grey + 0.35 * (x - grey)));
  return `#${mixed.map((x) => x.toString(16).padStart(2, "0")).join("")}`;
}

/** Lines from lower left to upper right, 4.5 px apart, as the elements have them. */
function hatchOf(context: Context, colour: string, ratio: number): CanvasPattern | null {
  const size = Math.max(4, Math.round(4.5 * Math.SQRT2 * ratio));
  const tile = document.createElement("canvas");
  tile.width = size;
  tile.height = size;
  const pen = tile.getContext("2d");
  if (pen === null) return null;
  pen.strokeStyle = colour;
  pen.lineWidth = ratio;
  for (const shift of [-size, 0, size]) {
    pen.beginPath();
    pen.moveTo(shift - 1, size + 1);
    pen.lineTo(shift + size + 1, -1);
    pen.stroke();
  }
  return context.createPattern(tile, "repeat");
}

function fill(context: Context, [left, top, right, bottom]: Box): void {
  context.fillRect(left, top, right - left, bottom - top);
}

/** Draw what is seen of a map; the canvas shows `geometry.seen` pixels from `scrolled` on. */
export function paint(
  context: Context,
  painting: Painting,
  colours: PaintColours,
  ratio: number,
): void {
  const { plane, lines, geometry, palette, stale } = painting;
  const { pitch, height } = geometry;
  const columns = plane.map.shape[1] ?? 0;
  const [from, to] = painting.seen;
  const gap = pitch >= 12 ? 1 : 0.5;
  const hatched: Box[] = [];
  const strong: Box[] = [];
  const texts: [text: string, ink: string, x: number, y: number][] = [];
  const [fresh, old] = [ramp(palette, false), ramp(palette, true)];
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, context.canvas.width, context.canvas.height);
  const at = (x: number): number => Math.round(x * ratio);
  for (let r = 0; r < lines.rows.length; r += 1) {
    const row = lines.rows[r] ?? 0;
    for (let c = from; c < to; c += 1) {
      const i = row * columns + (lines.columns[c] ?? 0);
      const left = c * pitch - painting.scrolled;
      const box: Box = [
        at(left + gap),
        at(r * height + gap),
        at(left + pitch - gap),
        at((r + 1) * height - gap),
      ];
      const kind = plane.kind[i] ?? 0;
      const value = plane.value[i] ?? Number.NaN;
      const middle = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2] as const;
      if (kind === 0 || plane.sunk?.[i] === 1) {
        context.fillStyle = colours.ground;
        fill(context, box);
        if (kind === 0) hatched.push(box);
        continue;
      }
      if (!Number.isFinite(value)) {
        context.strokeStyle = colours.outline;
        context.lineWidth = ratio;
        const half = ratio / 2;
        context.strokeRect(
          box[0] + half,
          box[1] + half,
          box[2] - box[0] - ratio,
          box[3] - box[1] - ratio,
        );
        const name = numberIn(value, plane.clip, geometry.room);
        if (name !== null) texts.push([name, colours.quiet, ...middle]);
        continue;
      }
      const isOld = stale || kind === OLD;
      const share = plane.clip > 0 ? Math.max(-1, Math.min(1, value / plane.clip)) : 0;
      const step = Math.round((share + 1) * (STEPS / 2));
      const colour = (isOld ? old : fresh)[step] ?? "";
      context.fillStyle = colour;
      fill(context, box);
      if (value === 0 && !isOld) {
        context.fillStyle = colours.outline;
        context.beginPath();
        context.arc(...middle, 1.25 * ratio, 0, 2 * Math.PI);
        context.fill();
      }
      if (isOld) hatched.push(box);
      else if (kind === ESTIMATED) strong.push(box);
      else if (hasNumber(plane, value, kind)) {
        const text = numberIn(value, plane.clip, geometry.room);
        if (text !== null) texts.push([text, inkOn(fresh[step] ?? "#000000"), ...middle]);
      }
    }
  }
  for (const [boxes, colour] of [
    [hatched, colours.hatch],
    [strong, colours.strongHatch],
  ] as const) {
    const pattern = boxes.length === 0 ? null : hatchOf(context, colour, ratio);
    if (pattern === null) continue;
    // The hatch moves with the cells.
    pattern.setTransform(new DOMMatrix([1, 0, 0, 1, -at(painting.scrolled), 0]));
    context.fillStyle = pattern;
    for (const box of boxes) fill(context, box);
  }
  context.font = `${11 * ratio}px ${colours.font}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (const [text, ink, x, y] of texts) {
    context.fillStyle = ink;
    context.fillText(text, x, y + ratio / 2);
  }
}
