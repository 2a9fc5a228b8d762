// What to click first, and why: the ends of the list of effects, and the place where the runs differ.

import { signed } from "../../parts/number";
import { tokenWords } from "../../parts/token";
import type { EffectMap } from "../../protocol/decode";
import type { PromptRow } from "../../protocol/generated";
import type { MapOver, Mode } from "../../store/state";
import { cellName, isByPosition, largest, type RankedCell } from "../map/grid/cells";
import { columnToken, firstDifference } from "../prompts/column_token";

/** One thing to do first: a cell to click, or a position to select. */
export type First =
  | { kind: "cell"; cell: RankedCell; name: string; why: string }
  | { kind: "position"; position: number; name: string; why: string };

const STATE: Record<Mode, string> = {
  zero: "Without it",
  mean: "Held at its mean",
  resample: "With another prompt's value",
  patch: "With the other run's value",
};

const THING: Record<MapOver, string> = {
  head: "heads",
  head_pos: "heads",
  resid_pre: "layers",
  attn_out: "attention layers",
  mlp_out: "MLPs",
  neuron: "neurons",
};

interface Metric {
  name: string;
  unit: string;
}

function cellFirst(map: EffectMap, cell: RankedCell, metric: Metric, other: boolean): First {
  const { effect } = cell;
  const goes = effect < 0 ? "falls" : "rises";
  const most = other ? "" : " most";
  const pulls = other ? "Pulls the other way: " : "";
  const state = other ? STATE[map.how].toLowerCase() : STATE[map.how];
  const about = cell.estimated || cell.old ? "about " : "";
  return {
    kind: "cell",
    cell,
    name: cellName(map, cell.row, cell.column),
    why: `${pulls}${state} the ${metric.name} ${goes}${most}: ${about}${signed(effect)} ${metric.unit}.`,
  };
}

/** At most three things to do first. */
export function firstClicks(
  map: EffectMap,
  prompt: PromptRow | undefined,
  metric: Metric,
  selected: readonly number[] | null,
): First[] {
  const cells = largest(map, 3);
  const [strongest] = cells;
  if (strongest === undefined) return [];
  const first = [cellFirst(map, strongest, metric, false)];
  const [against] = largest(map, 1, (effect) => effect * strongest.effect < 0);
  if (against !== undefined) first.push(cellFirst(map, against, metric, true));
  const position = firstDifference(prompt);
  const column = prompt?.columns[position];
  if (column !== undefined && !isByPosition(map.over) && selected === null) {
    const label = column.labels[0];
    const name = tokenWords(label ?? columnToken(column).text, 8);
    first.push({
      kind: "position",
      position,
      name,
      why: `Here the two runs part. Select this token and the map shows which ${THING[map.over]} act at it.`,
    });
    return first;
  }
  const named = new Set(first.map(({ name }) => name));
  const next = cells.find(({ row, column }) => !named.has(cellName(map, row, column)));
  if (next !== undefined) {
    const name = cellName(map, next.row, next.column);
    const why = `Next in size: ${signed(next.effect)} ${metric.unit}. Click it on top of the first to see whether they do the same work.`;
    first.push({ kind: "cell", cell: next, name, why });
  }
  return first;
}
