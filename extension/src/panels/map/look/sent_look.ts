// How this view looks at its map, as it is told to the kernel that writes the map down: the picture that
// leaves the panel is the one that is seen, and its numbers are the kernel's own.
import type { MapLook } from "../../../protocol/generated";
import { keptFor, PLAIN } from "../../../store/look";
import { scaleKey } from "../../../store/scale";
import { type BoardState, currentMap } from "../../../store/state";
import { differenceOf } from "./difference";
import { linesOf } from "./lines";
import { shareOf } from "./plane";

function unlessWhole(lines: readonly number[], n: number): number[] | null {
  return lines.length === n && lines.every((line, i) => line === i) ? null : [...lines];
}

/** The look of the map that is drawn now; null where it is drawn as it was computed. */
export function sentLook(state: BoardState): MapLook | null {
  const { look, kept, snapshot, unedited } = state;
  const map = currentMap(state);
  if (map === null || snapshot === null) return null;
  const order = state.orders[scaleKey(map)];
  const { rows, columns } = linesOf(map, look, order);
  const other = kept === null ? null : keptFor(map, kept, unedited).map;
  // What cannot be compared is not: the panel says why, and draws the live map.
  const compared = other !== null && differenceOf(other, map).refused === null;
  const hasShare = shareOf(snapshot.metric.baselines) !== null;
  const sent: MapLook = {
    unit: hasShare ? look.unit : "metric",
    rows: unlessWhole(rows, map.shape[0] ?? 0),
    columns: unlessWhole(columns, map.shape[1] ?? 0),
    show: look.show,
    hide_below: look.hideBelow,
    numbers_from: look.numbersFrom,
    against: compared ? other.map_id : null,
    side: compared ? look.side : "b",
    // What has no order yet is drawn as it is.
    order: order === undefined ? "layer" : look.order,
    layers: map.over === "head_pos" || look.layers === null ? null : [...look.layers],
  };
  const plain =
    sent.unit === PLAIN.unit &&
    sent.rows === null &&
    sent.columns === null &&
    sent.order === PLAIN.order &&
    sent.layers === null &&
    sent.show === PLAIN.show &&
    sent.hide_below === PLAIN.hideBelow &&
    sent.numbers_from === null &&
    sent.against === null;
  return plain ? null : sent;
}
