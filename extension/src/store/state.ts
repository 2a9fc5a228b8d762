// Everything the panel knows. Panels are pure functions of it.
import type { EffectMap } from "../protocol/decode";
import type { ErrorInfo, Setup, Snapshot, Verified, View } from "../protocol/generated";

export type Base = Snapshot["base"];
export type Mode = View["mode"];
export type MapOver = View["map"];

/** An error to show: what was not done, and why. */
export interface Trouble {
  title: string;
  error: ErrorInfo;
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

export interface BoardState {
  connected: boolean;
  /** When the kernel was last heard before it fell silent (ms since 1970). */
  lostAt: number | null;
  setup: Setup | null;
  snapshot: Snapshot | null;
  /** The latest map of each kind; drawn as stale when its revision is not the snapshot's. */
  maps: Partial<Record<MapOver, EffectMap>>;
  /** Ends of the colour scales, by what is mapped: kept while a map fills in. */
  scales: Readonly<Record<string, number>>;
  clicks: readonly PendingClick[];
  views: readonly PendingView[];
  /** Requests that are under way and change the board, by id. */
  inFlight: readonly string[];
  verifying: boolean;
  busy: string | null;
  trouble: Trouble | null;
  verified: { revision: number; result: Verified } | null;
}

export const INITIAL: BoardState = {
  connected: true,
  lostAt: null,
  setup: null,
  snapshot: null,
  maps: {},
  scales: {},
  clicks: [],
  views: [],
  inFlight: [],
  verifying: false,
  busy: null,
  trouble: null,
  verified: null,
};

/** The view as it is drawn: the kernel's, with what has just been chosen here on top. */
export function shownView(state: BoardState): View | null {
  if (state.snapshot === null) return null;
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

/** Whether a map shows anything else than the state drawn and what a click would do now. */
export function isStale(map: EffectMap, snapshot: Snapshot, view: View): boolean {
  return (
    map.revision !== snapshot.revision ||
    map.base !== snapshot.base ||
    map.how !== view.mode ||
    (map.over === "head" && !samePositions(map.positions, view.positions))
  );
}
