// What one cell of a plane is drawn with.

import { ESTIMATED, EXACT } from "../../../protocol/decode";
import type { PendingClick } from "../../../store/state";
import type { Palette } from "../look/colour";
import type { Spot } from "../look/lines";
import { hasNumber, OLD, type Plane } from "../look/plane";
import { cellWords } from "../words/words";
import type { CellProps } from "./Cell";
import { type CellEdit, indexOf, isPending, layerOf } from "./cells";

export interface CellContext {
  plane: Plane;
  edits: ReadonlyMap<number, CellEdit>;
  clicks: readonly PendingClick[];
  /** The names say that the whole map is from before the last step. */
  stale: boolean;
  /** The names say so of single cells. */
  told: boolean;
  chosen: readonly [number, number] | null;
  /** The one cell that Tab goes to. */
  stop: Spot;
  palette: Palette;
  disabled: boolean;
  /** Characters that fit. */
  room: number;
}

export function cellProps(context: CellContext, { row, column }: Spot): CellProps {
  const { plane, chosen, stop } = context;
  const { map } = plane;
  const i = row * (map.shape[1] ?? 0) + column;
  const kind = plane.kind[i] ?? 0;
  const value = kind === 0 ? null : (plane.value[i] ?? null);
  const edit = context.edits.get(i) ?? null;
  return {
    over: map.over,
    row,
    column,
    layer: layerOf(map, row),
    index: indexOf(map, row, column),
    effect: map.known[i] === EXACT ? (map.effect[i] ?? null) : null,
    estimate: map.known[i] === ESTIMATED ? (map.effect[i] ?? null) : null,
    value,
    kind,
    numbered: value !== null && hasNumber(plane, value, kind),
    sunk: plane.sunk?.[i] === 1,
    clip: plane.clip,
    stale: context.stale,
    palette: context.palette,
    how: edit?.how ?? "",
    enabled: edit?.enabled ?? false,
    pending: isPending(context.clicks, map, row, column),
    chosen: chosen !== null && chosen[0] === row && chosen[1] === column,
    room: context.room,
    stop: row === stop.row && column === stop.column,
    disabled: context.disabled,
    label: cellWords(plane, row, column, edit, context.stale || (context.told && kind === OLD)),
  };
}
