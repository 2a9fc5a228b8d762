// Layer × head, or layer × position: one tab stop, arrows inside, a card for the cell under the
// pointer or the focus. Layer labels stand still while positions scroll beneath them.
import type { ComponentChildren, JSX, TargetedKeyboardEvent } from "preact";
import { useState } from "preact/hooks";
import { decimals } from "../../parts/number";
import type { Theme } from "../../parts/theme";
import { tokenWords } from "../../parts/token";
import { useWidth } from "../../parts/width";
import type { EffectMap } from "../../protocol/decode";
import type { EditRow, PromptRow } from "../../protocol/generated";
import type { MapOver, PendingClick, Selection } from "../../store/state";
import { Cell } from "./Cell";
import {
  beforeAt,
  cellName,
  cellOf,
  editOn,
  effectAt,
  estimateAt,
  indexOf,
  isByPosition,
  isPending,
  layerOf,
} from "./cells";
import { HoverCard } from "./HoverCard";
import { type Spot, useHover } from "./hover";
import { cellWords, MAPS } from "./words";

const GUTTER = 36;
const HEAD_LABELS = 20;
const TOKEN_LABELS = 54;
/** Room on the right for the last slanted token. */
const SLANT = 22;
const NARROWEST = 18;
const WIDEST: Record<MapOver, number> = {
  head: 84,
  head_pos: 40,
  resid_pre: 40,
  attn_out: 40,
  mlp_out: 40,
  neuron: 60,
};
/** Width of a digit in a cell, in the widest of the hosts' fonts, and the room around a number (px). */
const DIGIT = 6.7;
const AROUND = 5;

/** Height of a row: as in a 12-layer map, lower for deep models, higher for shallow ones (px). */
export function rowHeight(rows: number): number {
  if (rows <= 12) return Math.min(36, Math.max(24, Math.floor(200 / Math.max(1, rows))));
  return Math.max(14, Math.floor(420 / rows));
}

interface GridProps {
  map: EffectMap;
  clip: number;
  stale: boolean;
  unit: string;
  prompts: number;
  prompt: PromptRow | undefined;
  edits: readonly EditRow[];
  clicks: readonly PendingClick[];
  selected: readonly number[] | null;
  /** What the detail region is about. */
  chosen: Selection | null;
  theme: Theme;
  disabled: boolean;
  onClick(spot: Spot): void;
  /** Look at a cell without editing it. */
  onSelect(spot: Spot): void;
  onRemove(index: number): void;
}

function spotUnder(target: EventTarget | null): Spot | null {
  const cell = target instanceof Element ? target.closest<HTMLElement>(".cb-cell") : null;
  if (cell === null) return null;
  return { row: Number(cell.dataset.row), column: Number(cell.dataset.column) };
}

function moved(spot: Spot, key: string, ctrl: boolean, rows: number, columns: number): Spot | null {
  const { row, column } = spot;
  switch (key) {
    case "ArrowUp":
      return { row: Math.max(0, row - 1), column };
    case "ArrowDown":
      return { row: Math.min(rows - 1, row + 1), column };
    case "ArrowLeft":
      return { row, column: Math.max(0, column - 1) };
    case "ArrowRight":
      return { row, column: Math.min(columns - 1, column + 1) };
    case "Home":
      return { row: ctrl ? 0 : row, column: 0 };
    case "End":
      return { row: ctrl ? rows - 1 : row, column: columns - 1 };
    default:
      return null;
  }
}

function ColumnLabels(props: {
  over: MapOver;
  columns: number;
  prompt: PromptRow | undefined;
  selected: readonly number[] | null;
  hover: Spot | null;
}): JSX.Element {
  const { over, columns, prompt, selected, hover } = props;
  const labels: ComponentChildren[] = [];
  for (let i = 0; i < columns; i += 1) {
    const column = prompt?.columns[i];
    const tag = column?.labels[0];
    const strong =
      hover?.column === i ||
      (isByPosition(over) && (tag !== undefined || (selected?.includes(i) ?? false)));
    labels.push(
      <span key={i} class={`cb-axis${strong ? " cb-axis-on" : ""}`}>
        {!isByPosition(over) ? (
          over === "head" ? (
            i
          ) : (
            i + 1
          )
        ) : (
          <span class="cb-slanted">
            {tag === undefined
              ? column?.padding === true
                ? ""
                : tokenWords((column?.clean ?? "").trimStart() || " ", 7)
              : tokenWords(tag, 7)}
          </span>
        )}
      </span>,
    );
  }
  return (
    <div class="cb-axis-row" aria-hidden="true">
      {labels}
    </div>
  );
}

export function Grid(props: GridProps): JSX.Element {
  const { map, edits, clicks, disabled } = props;
  const { over } = map;
  const rows = map.shape[0] ?? 0;
  const columns = map.shape[1] ?? 0;
  const [ref, width] = useWidth<HTMLDivElement>(420);
  const [hover, show] = useHover();
  const [stop, setStop] = useState<Spot>({ row: 0, column: 0 });
  const at: Spot = {
    row: Math.min(stop.row, rows - 1),
    column: Math.min(stop.column, columns - 1),
  };

  const byPosition = isByPosition(over);
  const slant = byPosition ? SLANT : 0;
  const pitch = Math.max(
    NARROWEST,
    Math.min(WIDEST[over], Math.floor((width - GUTTER - slant) / Math.max(1, columns))),
  );
  const height = rowHeight(rows);
  const top = byPosition ? TOKEN_LABELS : HEAD_LABELS;

  const focus = (root: Element, spot: Spot): void => {
    setStop(spot);
    root
      .querySelector<HTMLElement>(`.cb-cell[data-row="${spot.row}"][data-column="${spot.column}"]`)
      ?.focus();
  };
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLElement>): void => {
    const spot = spotUnder(event.target);
    if (spot === null) return;
    if (event.key === "Delete" || event.key === "Backspace") {
      const edit = editOn(edits, map, spot.row, spot.column);
      event.preventDefault();
      event.stopPropagation();
      if (edit !== null) props.onRemove(edit.index);
      return;
    }
    if (event.key === "Escape" && hover !== null) {
      event.stopPropagation();
      show(null);
      return;
    }
    if (event.key === "Enter" && event.shiftKey) {
      event.preventDefault();
      event.stopPropagation();
      props.onSelect(spot);
      return;
    }
    const next = moved(spot, event.key, event.ctrlKey || event.metaKey, rows, columns);
    if (next === null) return;
    event.preventDefault();
    event.stopPropagation();
    focus(event.currentTarget, next);
  };

  const chosen = cellOf(map, props.chosen);
  const grid: ComponentChildren[] = [];
  for (let row = 0; row < rows; row += 1) {
    const cells: ComponentChildren[] = [];
    for (let column = 0; column < columns; column += 1) {
      const edit = editOn(edits, map, row, column);
      const effect = effectAt(map, row, column);
      const estimate = estimateAt(map, row, column);
      cells.push(
        <Cell
          key={column}
          over={over}
          row={row}
          column={column}
          layer={layerOf(map, row)}
          index={indexOf(map, row, column)}
          effect={effect}
          estimate={estimate}
          old={effect === null && estimate === null ? beforeAt(map, row, column) : null}
          clip={props.clip}
          stale={props.stale}
          theme={props.theme}
          how={edit?.how ?? ""}
          enabled={edit?.enabled ?? false}
          pending={isPending(clicks, map, row, column)}
          chosen={chosen !== null && chosen[0] === row && chosen[1] === column}
          room={Math.floor((pitch - AROUND) / DIGIT)}
          stop={row === at.row && column === at.column}
          disabled={disabled}
          label={cellWords(map, row, column, edit, props)}
        />,
      );
    }
    grid.push(
      // biome-ignore lint/a11y/useSemanticElements: an ARIA grid of toggles; a table has no such cells.
      // biome-ignore lint/a11y/useFocusableInteractive: the cells' buttons take the focus.
      <div role="row" class="cb-line-of-cells" key={row}>
        {cells}
      </div>,
    );
  }

  const layerLabels: ComponentChildren[] = [];
  for (let row = 0; row < rows; row += 1) {
    layerLabels.push(
      <span key={row} class={`cb-axis${hover?.row === row ? " cb-axis-on" : ""}`}>
        {over === "head_pos" ? row : layerOf(map, row)}
      </span>,
    );
  }
  const sizes = {
    "--cb-pitch": `${pitch}px`,
    "--cb-row": `${height}px`,
    "--cb-top": `${top}px`,
    "--cb-columns": columns,
    "--cb-slant": `${slant}px`,
  };
  return (
    <div class={`cb-plot${byPosition ? " cb-plot-positions" : ""}`} ref={ref} style={sizes}>
      <div class="cb-layers" aria-hidden="true">
        <span class="cb-axis-name-top">
          {over === "head" ? "head" : over === "neuron" ? "rank" : ""}
        </span>
        <span class="cb-axis-name-side">{over === "head_pos" ? "head" : "layer"}</span>
        {layerLabels}
      </div>
      <div class="cb-scroll">
        <ColumnLabels
          over={over}
          columns={columns}
          prompt={props.prompt}
          selected={props.selected}
          hover={hover}
        />
        {/* biome-ignore lint/a11y/useSemanticElements: an ARIA grid of toggles; a table has no such cells. */}
        <div
          role="grid"
          class="cb-grid"
          tabIndex={-1}
          aria-label={MAPS[over].grid}
          aria-rowcount={rows}
          aria-colcount={columns}
          data-stale={props.stale}
          onKeyDown={onKeyDown}
          onClick={(event) => {
            const spot = spotUnder(event.target);
            if (spot === null) return;
            setStop(spot);
            if (event.shiftKey) props.onSelect(spot);
            else props.onClick(spot);
          }}
          onPointerOver={(event) => {
            const spot = spotUnder(event.target);
            if (spot !== null) show(spot);
          }}
          onPointerLeave={() => show(null)}
          onFocusIn={(event) => {
            const spot = spotUnder(event.target);
            if (spot === null) return;
            setStop(spot);
            if (event.target instanceof Element && event.target.matches(":focus-visible")) {
              show(spot, true);
              props.onSelect(spot);
            }
          }}
          onFocusOut={() => show(null)}
        >
          {grid}
        </div>
      </div>
      {hover === null || hover.row >= rows || hover.column >= columns ? null : (
        <HoverCard
          map={map}
          spot={hover}
          name={cellName(map, hover.row, hover.column)}
          prompt={props.prompt}
          prompts={props.prompts}
          unit={props.unit}
          stale={props.stale}
          edit={editOn(edits, map, hover.row, hover.column)}
          pitch={pitch}
          height={height}
          top={top}
          gutter={GUTTER}
          digits={decimals(props.clip) + 1}
        />
      )}
    </div>
  );
}
