// The cells of a large map: painted, with elements only for the cell under the pointer or the focus
// and for those that are edited, selected or waiting.
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { useCalm } from "../../../parts/calm";
import { useFrame } from "../../../parts/frame";
import type { Palette } from "../look/colour";
import type { Lines, Spot } from "../look/lines";
import type { Plane } from "../look/plane";
import { Cell } from "./Cell";
import { type CellContext, cellProps } from "./cell_props";
import { cellOf } from "./cells";
import type { Geometry } from "./geometry";
import { type PaintColours, paint } from "./paint";

// Colours are mixed by the browser, so the canvas's own style is asked what they come to.
function coloursOf(canvas: HTMLCanvasElement): PaintColours {
  const style = getComputedStyle(canvas);
  return {
    ground: style.backgroundColor,
    quiet: style.color,
    outline: style.outlineColor,
    hatch: style.columnRuleColor,
    strongHatch: style.textDecorationColor,
    font: style.fontFamily,
  };
}

interface SheetProps {
  plane: Plane;
  lines: Lines;
  geometry: Geometry;
  seen: readonly [number, number];
  scrolled: number;
  palette: Palette;
  stale: boolean;
}

/** The painted cells, sharp and silent: what they say is said by the grid above them. */
export function Sheet(props: SheetProps): JSX.Element {
  const { plane, lines, geometry, seen, scrolled, palette } = props;
  const ref = useRef<HTMLCanvasElement>(null);
  // After a moment only: a map that is there sooner does not flicker.
  const stale = useCalm(props.stale, props.stale);
  useFrame(() => {
    const canvas = ref.current;
    const context = canvas?.getContext?.("2d") ?? null;
    if (canvas === null || context === null) return;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [geometry.seen, lines.rows.length * geometry.height].map((x) =>
      Math.round(x * ratio),
    ) as [number, number];
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    paint(
      context,
      { plane, lines, geometry, seen, scrolled, palette, stale },
      coloursOf(canvas),
      ratio,
    );
  }, [plane, lines, geometry, seen[0], seen[1], scrolled, palette, stale]);
  return (
    <canvas
      class="cb-sheet"
      ref={ref}
      style={{ width: `${geometry.seen}px`, height: `${lines.rows.length * geometry.height}px` }}
    />
  );
}

interface OverlayProps extends CellContext {
  lines: Lines;
  geometry: Geometry;
  seen: readonly [number, number];
  pointed: Spot | null;
}

/** The cells that are elements, by row, in the order in which they are drawn. */
function elementsOf(props: OverlayProps): Map<number, number[]> {
  const { plane, lines, seen, stop, pointed, chosen, clicks, edits } = props;
  const columns = plane.map.shape[1] ?? 0;
  const found = new Map<number, Set<number>>();
  const add = (row: number, column: number, always: boolean): void => {
    const at = lines.columnAt.get(column);
    if (at === undefined || !lines.rowAt.has(row)) return;
    if (always || (at >= seen[0] && at < seen[1]))
      found.set(row, (found.get(row) ?? new Set<number>()).add(column));
  };
  // The tab stop is there even when it is scrolled out of sight: Tab brings it back.
  add(stop.row, stop.column, true);
  if (pointed !== null) add(pointed.row, pointed.column, false);
  // So is the selected cell: whoever selects it elsewhere can lead the focus to it.
  if (chosen !== null) add(chosen[0], chosen[1], true);
  for (const cell of edits.keys()) add(Math.floor(cell / columns), cell % columns, false);
  for (const { site, positions } of clicks)
    for (const position of positions ?? [null]) {
      const at = cellOf(plane.map, { site, position });
      if (at !== null) add(...at, false);
    }
  const order = (a: number, b: number): number =>
    (lines.columnAt.get(a) ?? 0) - (lines.columnAt.get(b) ?? 0);
  const rows = [...found].sort(([a], [b]) => (lines.rowAt.get(a) ?? 0) - (lines.rowAt.get(b) ?? 0));
  return new Map(rows.map(([row, columns]) => [row, [...columns].sort(order)]));
}

export function Overlay(props: OverlayProps): JSX.Element {
  const { lines, geometry } = props;
  const { pitch, height } = geometry;
  return (
    <>
      {[...elementsOf(props)].map(([row, columns]) => (
        // biome-ignore lint/a11y/useSemanticElements: an ARIA grid of toggles; a table has no such cells.
        // biome-ignore lint/a11y/useFocusableInteractive: the cells' buttons take the focus.
        <div role="row" key={row} aria-rowindex={(lines.rowAt.get(row) ?? 0) + 1}>
          {columns.map((column) => {
            const at = lines.columnAt.get(column) ?? 0;
            const place = {
              left: `${at * pitch}px`,
              top: `${(lines.rowAt.get(row) ?? 0) * height}px`,
              width: `${pitch}px`,
            };
            return (
              <Cell
                key={column}
                {...cellProps(props, { row, column })}
                place={place}
                number={at + 1}
              />
            );
          })}
        </div>
      ))}
    </>
  );
}
