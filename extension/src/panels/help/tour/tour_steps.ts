// The five steps of the tour: what each points at, says, and waits for.
import { signed } from "../../../parts/number";
import { real } from "../../../protocol/decode";
import { type BoardState, currentMap, shownView } from "../../../store/state";
import { metricName } from "../../header/name";
import { cellName, largest, layerOf } from "../../map/grid/cells";

export interface Step {
  title: string;
  /** What it points at, best first. */
  targets(state: BoardState): string[];
  says(state: BoardState): string;
  /** Whether what it asks for has been done; left out where there is nothing to do but look. */
  done?(now: Progress, atStart: Progress): boolean;
}

/** What a step waits to see change. */
export interface Progress {
  revision: number;
  edits: number;
}

export function progressOf({ snapshot }: BoardState): Progress {
  return { revision: snapshot?.revision ?? -1, edits: snapshot?.edits.length ?? 0 };
}

/** The head that matters most: where there is most to see. */
function strongest(state: BoardState): { name: string; selector: string } | null {
  const map = currentMap(state);
  if (map === null || map.over !== "head") return null;
  const [cell] = largest(map, 1);
  if (cell === undefined) return null;
  const layer = layerOf(map, cell.row);
  return {
    name: cellName(map, cell.row, cell.column),
    selector: `[data-cb="head"][data-layer="${layer}"][data-head="${cell.column}"]`,
  };
}

const DOES: Record<string, string> = {
  zero: "sets it to zero",
  mean: "sets it to its mean",
  resample: "takes it from another prompt",
  patch: "takes it from the other run",
};

export const STEPS: readonly Step[] = [
  {
    title: "Click a head",
    targets: (state) => {
      const head = strongest(state);
      return [...(head === null ? [] : [head.selector]), '[role="grid"]'];
    },
    says: (state) => {
      const name = strongest(state)?.name;
      const does = DOES[shownView(state)?.mode ?? "zero"];
      return `Each square is an attention head, its colour what editing it does to the metric. ${name === undefined ? "Click one" : `Click ${name}, the strongest`}: a click ${does}.`;
    },
    done: (now, atStart) => now.edits > atStart.edits,
  },
  {
    title: "See the metric",
    targets: () => [".cb-metric"],
    says: (state) => {
      const { snapshot } = state;
      if (snapshot === null) return "This number is what you measure.";
      const { name, unit, value, baselines } = snapshot.metric;
      const now = `${signed(real(value))} ${unit}`;
      return `This is the ${metricName(name)}: now ${now}, on the clean run ${signed(real(baselines.clean))}. The map followed too: heads that now matter more are taking over.`;
    },
  },
  {
    title: "Undo and redo",
    targets: () => ['[data-cb="undo"]'],
    says: () =>
      "Every step can be taken back, here or with Ctrl-Z, and brought back with the arrow beside it. Try both: nothing is lost, all of it stays in the history.",
    done: (now, atStart) => now.revision > atStart.revision && now.edits === atStart.edits,
  },
  {
    title: "Compare",
    targets: () => ['[data-cb="compare-clean"]', '[data-cb="compare"]', '[data-cb="history"]'],
    says: () =>
      "This puts two states side by side: the first run on the left, this one on the right, and what changed between them: metric, tokens, prompts, maps.",
  },
  {
    title: "Take it with you",
    targets: () => ['[data-cb="copy-code"]'],
    says: () =>
      "Copy Python that rebuilds this state. Pasted into a cell, it gives the same number.",
  },
];
