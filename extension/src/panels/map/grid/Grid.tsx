// Layer × head, or layer × position: one tab stop, arrows inside, a card for the cell under the
// pointer or the focus. Layer labels stand still while positions scroll beneath them.
import type { JSX, TargetedKeyboardEvent } from "preact";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { useCalm } from "../../../parts/calm";
import { useWidth } from "../../../parts/width";
import type { PromptRow } from "../../../protocol/generated";
import { MAPS } from "../../../protocol/vocabulary.gen";
import type { Selection } from "../../../store/selection";
import type { PendingClick } from "../../../store/state";
import type { Palette } from "../look/colour";
import { type Lines, moved, type Spot } from "../look/lines";
import { OLD, type Plane } from "../look/plane";
import { type CellEdit, cellName, cellOf, isByPosition } from "./cells";
import { ElementCells } from "./ElementCells";
import { GUTTER, geometryOf, isPainted, spotAt, windowOf } from "./geometry";
import { HoverCard } from "./HoverCard";
import { useHover } from "./hover";
import { ColumnLabels, RowLabels } from "./Labels";
import { Overlay, Sheet } from "./PaintedCells";

interface GridProps {
  plane: Plane;
  lines: Lines;
  stale: boolean;
  prompts: number;
  prompt: PromptRow | undefined;
  edits: ReadonlyMap<number, CellEdit>;
  clicks: readonly PendingClick[];
  selected: readonly number[] | null;
  /** What the detail region is about. */
  chosen: Selection | null;
  /** The state that is compared with. */
  keptName: string | null;
  palette: Palette;
  disabled: boolean;
  onClick(spot: Spot): void;
  /** Look at a cell without editing it. */
  onSelect(spot: Spot): void;
  onRemove(index: number): void;
}

function cellUnder(target: EventTarget | null): Spot | null {
  const cell = target instanceof Element ? target.closest<HTMLElement>(".cb-cell") : null;
  if (cell === null) return null;
  return { row: Number(cell.dataset.row), column: Number(cell.dataset.column) };
}

function sameSpot(a: Spot | null, b: Spot | null): boolean {
  return a?.row === b?.row && a?.column === b?.column;
}

export function Grid(props: GridProps): JSX.Element {
  const { plane, lines, edits, disabled } = props;
  const { map } = plane;
  const { over } = map;
  const columns = map.shape[1] ?? 0;
  const painted = isPainted(map.shape);
  const [ref, width] = useWidth<HTMLDivElement>(420);
  const [hover, show] = useHover();
  // A painted cell becomes an element at once, its card after a moment.
  const [pointed, point] = useState<Spot | null>(null);
  const [scrolled, setScrolled] = useState(0);
  const [wanted, setStop] = useState<Spot>({ row: 0, column: 0 });
  const toFocus = useRef<Spot | null>(null);
  const grid = useRef<HTMLDivElement>(null);

  const geometry = useMemo(
    () => geometryOf(over, lines, width, painted),
    [over, lines, width, painted],
  );
  const { pitch, height } = geometry;
  const seen = windowOf(geometry, lines.columns.length, scrolled);
  const isDrawn = lines.rowAt.has(wanted.row) && lines.columnAt.has(wanted.column);
  const row = isDrawn ? wanted.row : (lines.rows[0] ?? 0);
  const column = isDrawn ? wanted.column : (lines.columns[0] ?? 0);
  const stop = useMemo(() => ({ row, column }), [row, column]);
  const place = cellOf(map, props.chosen);
  const chosen = useMemo(() => place, [place?.[0], place?.[1]]);

  const spotOf = (event: MouseEvent): Spot | null => {
    const cell = cellUnder(event.target);
    if (cell !== null || !painted || grid.current === null) return cell;
    const { left, top } = grid.current.getBoundingClientRect();
    return spotAt(geometry, lines, event.clientX - left, event.clientY - top);
  };
  useLayoutEffect(() => {
    const spot = toFocus.current;
    if (spot === null) return;
    toFocus.current = null;
    grid.current
      ?.querySelector<HTMLElement>(`.cb-cell[data-row="${spot.row}"][data-column="${spot.column}"]`)
      ?.focus();
  });

  const onKeyDown = (event: TargetedKeyboardEvent<HTMLElement>): void => {
    const spot = cellUnder(event.target);
    if (spot === null) return;
    const take = (): void => {
      event.preventDefault();
      event.stopPropagation();
    };
    if (event.key === "Delete" || event.key === "Backspace") {
      const edit = edits.get(spot.row * columns + spot.column);
      take();
      if (edit !== undefined) props.onRemove(edit.index);
      return;
    }
    if (event.key === "Escape" && hover !== null) {
      event.stopPropagation();
      show(null);
      return;
    }
    if (event.key === "Enter" && event.shiftKey) {
      take();
      props.onSelect(spot);
      return;
    }
    const next = moved(spot, event.key, event.ctrlKey || event.metaKey, lines);
    if (next === null) return;
    take();
    toFocus.current = next;
    // A new object each time: the focus moves even where the tab stop stands already.
    setStop({ ...next });
  };

  // Names say what is old when the cells show it, after a moment: those of a map that is there sooner
  // change once. Until then the grid says at once that it is busy.
  const passing = props.stale || plane.kind.includes(OLD);
  const told = useCalm(passing, passing);
  const context = {
    plane,
    edits,
    clicks: props.clicks,
    stale: props.stale && told,
    told,
    chosen,
    stop,
    palette: props.palette,
    disabled,
    room: geometry.room,
    lines,
  };
  const sizes = {
    "--cb-pitch": `${pitch}px`,
    "--cb-row": `${height}px`,
    "--cb-top": `${geometry.top}px`,
    "--cb-columns": lines.columns.length,
    "--cb-slant": `${geometry.slant}px`,
  };
  const shown = hover !== null && lines.rowAt.has(hover.row) && lines.columnAt.has(hover.column);
  return (
    <div
      class={`cb-plot${isByPosition(over) ? " cb-plot-positions" : ""}${painted ? " cb-painted" : ""}`}
      ref={ref}
      style={sizes}
    >
      <RowLabels axes={map} lines={lines} hover={hover} />
      <div class="cb-scroll" onScroll={(event) => setScrolled(event.currentTarget.scrollLeft)}>
        <ColumnLabels
          axes={map}
          lines={lines}
          geometry={geometry}
          seen={seen}
          prompt={props.prompt}
          selected={props.selected}
          hover={hover}
        />
        <div class="cb-cells">
          {painted ? (
            <Sheet
              plane={plane}
              lines={lines}
              geometry={geometry}
              seen={seen}
              scrolled={scrolled}
              palette={props.palette}
              stale={props.stale}
            />
          ) : null}
          {/* biome-ignore lint/a11y/useSemanticElements: an ARIA grid of toggles; a table has no such cells. */}
          <div
            role="grid"
            class="cb-grid"
            ref={grid}
            tabIndex={-1}
            aria-label={MAPS[over].grid}
            aria-busy={passing && !told}
            aria-rowcount={lines.rows.length}
            aria-colcount={lines.columns.length}
            data-stale={props.stale}
            style={painted ? { height: `${lines.rows.length * height}px` } : {}}
            onKeyDown={onKeyDown}
            onClick={(event) => {
              const spot = spotOf(event);
              if (spot === null || disabled) return;
              setStop(spot);
              if (event.shiftKey) props.onSelect(spot);
              else props.onClick(spot);
            }}
            onPointerOver={(event) => {
              const spot = cellUnder(event.target);
              if (spot !== null) show(spot);
            }}
            onPointerMove={(event) => {
              if (!painted) return;
              const spot = spotOf(event);
              if (sameSpot(spot, pointed)) return;
              point(spot);
              show(spot);
            }}
            onPointerLeave={() => {
              point(null);
              show(null);
            }}
            onFocusIn={(event) => {
              const spot = cellUnder(event.target);
              if (spot === null) return;
              setStop(spot);
              if (event.target instanceof Element && event.target.matches(":focus-visible")) {
                show(spot, true);
                props.onSelect(spot);
              }
            }}
            onFocusOut={() => show(null)}
          >
            {painted ? (
              <Overlay {...context} geometry={geometry} seen={seen} pointed={pointed} />
            ) : (
              <ElementCells {...context} />
            )}
          </div>
        </div>
      </div>
      {hover === null || !shown ? null : (
        <HoverCard
          plane={plane}
          spot={hover}
          at={{
            row: lines.rowAt.get(hover.row) ?? 0,
            column: lines.columnAt.get(hover.column) ?? 0,
          }}
          name={cellName(map, hover.row, hover.column)}
          prompt={props.prompt}
          prompts={props.prompts}
          stale={props.stale}
          edit={edits.get(hover.row * columns + hover.column) ?? null}
          keptName={props.keptName}
          geometry={geometry}
          left={GUTTER - scrolled}
        />
      )}
    </div>
  );
}
