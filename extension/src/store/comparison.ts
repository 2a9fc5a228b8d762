// Two states of the board side by side: which two, and what is known of them.
import type { RequestBody, Settlement } from "../protocol/connection";
import { real } from "../protocol/decode";
import type { ReadComparison } from "../protocol/decode_compared";
import type { ErrorInfo, HistoryNode, Snapshot, View } from "../protocol/generated";

/** The comparison that is open. */
export interface ComparisonState {
  left: number;
  right: number;
  /** Whether the maps of both states are wanted, as of which settings. */
  maps: Pick<View, "map" | "mode" | "positions" | "map_layer"> | null;
  /** The last answer: of these two states, or of those before until the next comes. */
  answer: ReadComparison | null;
  /** The request that is under way. */
  asked: { id: string; maps: boolean } | null;
  failed: ErrorInfo | null;
}

/** The comparison of two states, with what is known of another pair until it is. */
export function compared(
  before: ComparisonState | null,
  left: number,
  right: number,
): ComparisonState {
  if (before !== null && before.left === left && before.right === right) return before;
  return {
    left,
    right,
    maps: null,
    answer: before?.answer ?? null,
    asked: null,
    failed: null,
  };
}

/** What asking for a comparison makes of it. */
export function askedFor(
  state: ComparisonState | null,
  id: string,
  body: RequestBody,
): ComparisonState | null {
  if (state === null || body.kind !== "compare") return state;
  return { ...state, asked: { id, maps: body.map === true }, failed: null };
}

/** What an answer makes of it; one to anything but the newest question is not drawn. */
export function answered(
  state: ComparisonState | null,
  id: string,
  settlement: Settlement,
): ComparisonState | null {
  if (state === null || state.asked?.id !== id) return state;
  switch (settlement.kind) {
    case "compared":
      return { ...state, asked: null, answer: settlement };
    case "failed":
      return { ...state, asked: null, failed: settlement.error };
    case "superseded":
      return { ...state, asked: null, failed: OVERTAKEN };
    default:
      return { ...state, asked: null };
  }
}

// Asking again at once would overtake the other view in turn.
const OVERTAKEN: ErrorInfo = {
  code: "superseded",
  message: "Another view of this board asked for a comparison in the meantime.",
  where: null,
};

function sameMaps(wanted: ComparisonState["maps"], view: View): boolean {
  return (
    wanted !== null &&
    wanted.map === view.map &&
    wanted.mode === view.mode &&
    (wanted.map !== "head_pos" || wanted.map_layer === view.map_layer) &&
    String(wanted.positions) === String(view.positions)
  );
}

/** Whether the maps that are wanted are of what the board shows now. */
export function wantsMaps(state: ComparisonState, view: View): boolean {
  return sameMaps(state.maps, view);
}

function differs(side: ReadComparison["left"], nodes: readonly HistoryNode[]): boolean {
  const node = nodes.find(({ id }) => id === side.node);
  if (node === undefined) return false;
  const moved = node.value !== null && !Object.is(real(node.value), real(side.value));
  return moved || node.label !== side.label || node.note !== side.note;
}

/** Whether the answer tells of the two states as they are. */
export function isCurrent(state: ComparisonState, snapshot: Snapshot): boolean {
  const { answer } = state;
  return (
    answer !== null &&
    answer.left.node === state.left &&
    answer.right.node === state.right &&
    !differs(answer.left, snapshot.history.nodes) &&
    !differs(answer.right, snapshot.history.nodes)
  );
}

/** Whether the kernel has yet to be asked for what is to be shown. */
export function lacksComparison(state: ComparisonState, snapshot: Snapshot, view: View): boolean {
  if (state.asked !== null || state.failed !== null) return false;
  if (!isCurrent(state, snapshot) || state.answer?.prompt !== view.prompt) return true;
  const { maps, refused } = state.answer;
  return wantsMaps(state, view) && maps === null && refused === null;
}
