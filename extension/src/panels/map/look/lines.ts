// Which rows and columns of a map are drawn, and in which order.
import type { Look, Order } from "../../../store/look";
import { type Axes, layerOf } from "../grid/cells";

export interface Spot {
  row: number;
  column: number;
}

/** Rows and columns of the map's arrays in the order in which they are drawn. */
export interface Lines {
  rows: readonly number[];
  columns: readonly number[];
  /** Where each row and column of the arrays is drawn; undefined where it is not. */
  rowAt: ReadonlyMap<number, number>;
  columnAt: ReadonlyMap<number, number>;
}

function upTo(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}

function placed(drawn: readonly number[]): ReadonlyMap<number, number> {
  return new Map(drawn.map((line, i) => [line, i]));
}

export function linesOf(
  axes: Axes,
  look: Pick<Look, "order" | "layers">,
  order: Order | undefined,
): Lines {
  const [nRows = 0, nColumns = 0] = axes.shape;
  const sorts = (what: "rows" | "columns"): boolean => look.order === what || look.order === "both";
  let rows = sorts("rows") && order?.rows.length === nRows ? order.rows : upTo(nRows);
  const columns =
    sorts("columns") && order?.columns.length === nColumns ? order.columns : upTo(nColumns);
  if (look.layers !== null && axes.over !== "head_pos") {
    const [first, last] = look.layers;
    rows = rows.filter((row) => layerOf(axes, row) >= first && layerOf(axes, row) <= last);
  }
  return { rows, columns, rowAt: placed(rows), columnAt: placed(columns) };
}

const PAGE = 10;

/** The cell that a key goes to from `spot`; null for a key that does not move. */
export function moved(spot: Spot, key: string, ctrl: boolean, lines: Lines): Spot | null {
  const last = { row: lines.rows.length - 1, column: lines.columns.length - 1 };
  let row = lines.rowAt.get(spot.row) ?? 0;
  let column = lines.columnAt.get(spot.column) ?? 0;
  switch (key) {
    case "ArrowUp":
      row -= 1;
      break;
    case "ArrowDown":
      row += 1;
      break;
    case "ArrowLeft":
      column -= 1;
      break;
    case "ArrowRight":
      column += 1;
      break;
    case "PageUp":
      row -= PAGE;
      break;
    case "PageDown":
      row += PAGE;
      break;
    case "Home":
      column = 0;
      if (ctrl) row = 0;
      break;
    case "End":
      column = last.column;
      if (ctrl) row = last.row;
      break;
    default:
      return null;
  }
  const at = (i: number, most: number): number => Math.max(0, Math.min(most, i));
  return {
    row: lines.rows[at(row, last.row)] ?? 0,
    column: lines.columns[at(column, last.column)] ?? 0,
  };
}
