// Everything the panel knows. Panels are pure functions of it.
import type { RequestBody } from "../protocol/connection";
import type { EffectMap, ReadDetail } from "../protocol/decode";
import type { ErrorInfo, Setup, Snapshot, Verified, View } from "../protocol/generated";
import type { ComparisonState } from "./comparison";
import type { KeptCode } from "./kept_code";
import { type Kept, type Look, type Order, PLAIN } from "./look";
import { NOTHING_MORE, type Question, type Selection, sameQuestion, type Wants } from "./selection";
import type { TraceState } from "./tracing";

export type Base = Snapshot["base"];
export type Mode = View["mode"];
export type MapOver = View["map"];

/** An error to show: what was not done, and why. */
export interface Trouble {
  title: string;
  error: ErrorInfo;
  /** What was asked for, where asking once more may go better. */
  again: RequestBody | null;
}

/** A click that the kernel has not answered, or whose numbers have not been drawn yet. */
export interface PendingClick {
  id: string;
  site: string;
  positions: number[] | null;
  /** The revision that shows it; null until the kernel has named it. */
  shownFrom: number | null;
  /** Answered, but overtaken: whatever is drawn next shows it. */
  overtaken: boolean;
}

/** A change of the view that is shown before the kernel confirms it. */
export interface PendingView {
  id: string;
  patch: Partial<View>;
  answered: boolean;
}

/** What is known of the selected component: an answer may be of the one before until the next comes. */
export interface DetailState {
  answer: { to: Question; read: ReadDetail } | null;
  /** The request that is under way. */
  asked: { id: string; question: Question } | null;
  failed: { question: Question; error: ErrorInfo } | null;
}

export interface BoardState {
  connected: boolean;
  /** Whether the kernel said itself that it has the board no more. */
  gone: boolean;
  /** When the kernel was last heard before it fell silent (ms since 1970). */
  lostAt: number | null;
  setup: Setup | null;
  snapshot: Snapshot | null;
  /** The latest map of each kind; drawn as stale when its revision is not the snapshot's. */
  maps: Partial<Record<MapOver, EffectMap>>;
  /** Ends of the colour scales, by what is mapped: kept while a map fills in. */
  scales: Readonly<Record<string, number>>;
  /** Rows and columns by effect, as of the last map that was not filling in, by what is mapped. */
  orders: Readonly<Record<string, Order>>;
  look: Look;
  /** The map that the live one is compared with. */
  kept: Kept | null;
  /** The last whole map of each kind that stood on no edit. */
  unedited: Partial<Record<MapOver, EffectMap>>;
  clicks: readonly PendingClick[];
  views: readonly PendingView[];
  /** Requests that are under way and change the board, by id. */
  inFlight: readonly string[];
  verifying: boolean;
  busy: string | null;
  selected: Selection | null;
  wants: Wants;
  detail: DetailState;
  /** The ranked list that was asked for of the selected component; null for none. */
  trace: TraceState | null;
  /** The two states that are compared; null while none are. */
  comparison: ComparisonState | null;
  trouble: Trouble | null;
  verified: { revision: number; result: Verified } | null;
  /** The state as Python, for the case that the kernel goes. */
  code: KeptCode | null;
}

export const INITIAL: BoardState = {
  connected: true,
  gone: false,
  lostAt: null,
  setup: null,
  snapshot: null,
  maps: {},
  scales: {},
  orders: {},
  look: PLAIN,
  kept: null,
  unedited: {},
  clicks: [],
  views: [],
  inFlight: [],
  verifying: false,
  busy: null,
  selected: null,
  wants: NOTHING_MORE,
  detail: { answer: null, asked: null, failed: null },
  trace: null,
  comparison: null,
  trouble: null,
  verified: null,
  code: null,
};

/** The view as it is drawn: the kernel's, with what has just been chosen here on top. */
export function shownView(state: BoardState): View | null {
  if (state.snapshot === null) return null;
  // The same object while nothing is pending: who draws by it can tell that nothing changed.
  if (state.views.length === 0) return state.snapshot.view;
  return Object.assign({}, state.snapshot.view, ...state.views.map(({ patch }) => patch)) as View;
}

export type Phase = "idle" | "running" | "disconnected" | "error";

/** The one word for the panel's state, as in `data-state`. */
export function phase(state: BoardState): Phase {
  if (!state.connected) return "disconnected";
  if (state.trouble !== null) return "error";
  const map = currentMap(state);
  const running =
    state.setup === null ||
    state.inFlight.length > 0 ||
    state.clicks.length > 0 ||
    state.busy !== null ||
    map?.status === "computing";
  return running ? "running" : "idle";
}

/** The map of the kind that is being looked at, if one has arrived. */
export function currentMap(state: BoardState): EffectMap | null {
  const view = shownView(state);
  return view === null ? null : (state.maps[view.map] ?? null);
}

/** Whether two choices of positions are the same; null is "all". */
export function samePositions(a: readonly number[] | null, b: readonly number[] | null): boolean {
  if (a === null || b === null) return a === b;
  return a.length === b.length && a.every((p, i) => p === b[i]);
}

/** What the detail region is to show: null while nothing is selected. */
export function question(state: BoardState): Question | null {
  const view = shownView(state);
  return state.selected === null || view === null
    ? null
    : { ...state.selected, ...state.wants, prompt: view.prompt };
}

/** Whether the kernel has yet to be asked for what the detail region is to show. */
export function lacksDetail(state: BoardState): boolean {
  const now = question(state);
  const view = shownView(state);
  const { answer, asked, failed } = state.detail;
  if (now === null || view === null || state.snapshot === null || !state.connected) return false;
  if (asked !== null && sameQuestion(asked.question, now)) return false;
  if (failed !== null && sameQuestion(failed.question, now)) return false;
  if (answer === null || !sameQuestion(answer.to, now)) return true;
  const { effect, neurons, revision } = answer.read;
  const how = neurons?.how ?? (effect?.edited === false ? effect.how : view.mode);
  return (
    revision < state.snapshot.revision ||
    how !== view.mode ||
    (effect?.edited === false && now.position === null && !samePositions(effect.at, view.positions))
  );
}

/** Whether a map shows anything else than the state drawn and what a click would do now. */
export function isStale(map: EffectMap, snapshot: Snapshot, view: View): boolean {
  return (
    map.revision !== snapshot.revision ||
    map.base !== snapshot.base ||
    map.how !== view.mode ||
    (map.over === "head_pos" && map.layers[0] !== view.map_layer) ||
    ((map.over === "head" || map.over === "neuron") &&
      !samePositions(map.positions, view.positions))
  );
}
