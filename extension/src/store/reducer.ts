// (state, what happened) → state. Nothing here talks to anybody.
import type { RequestBody, Settlement } from "../protocol/connection";
import { changedMap } from "../protocol/decode_map";
import {
  type BusyEvent,
  PROTOCOL_VERSION,
  type Setup,
  type Snapshot,
  type SnapshotEvent,
  type View,
  type Welcome,
} from "../protocol/generated";
import type { EffectMap, MapChange } from "../protocol/map";
import { FAILURES, STEPS } from "../protocol/vocabulary.gen";
import { answered, askedFor, type ComparisonState } from "./comparison";
import type { KeptCode } from "./kept_code";
import { type Kept, type Look, orderOf } from "./look";
import { nextScale, scaleKey } from "./scale";
import { NOTHING_MORE, type Selection, type Wants } from "./selection";
import { type BoardState, type PendingView, samePositions } from "./state";
import { answerTrace, askTrace, keepTrace } from "./tracing";
import { withInertUnits } from "./unit";

export type Action =
  | { type: "sent"; id: string; body: RequestBody }
  | { type: "settled"; id: string; body: RequestBody; settlement: Settlement }
  | { type: "welcome"; message: Welcome }
  | { type: "event"; message: SnapshotEvent | BusyEvent | EffectMap | MapChange }
  | { type: "failed-anywhere" }
  | { type: "connected"; now: boolean; gone: boolean; at: number }
  | { type: "select"; selection: Selection | null }
  | { type: "want"; patch: Partial<Wants> }
  | { type: "untrace" }
  | { type: "look"; patch: Partial<Look> }
  | { type: "compare"; kept: Kept | null }
  | { type: "compare-states"; comparison: ComparisonState | null }
  | { type: "code-kept"; code: KeptCode }
  | { type: "dismiss" };

/** Until one of these is answered, the panel is running. */
const ACTS: ReadonlySet<string> = new Set(STEPS);

/** Errors of the moment: the same request may succeed a little later. */
const PASSING = new Set(["out_of_memory", "engine_failed", "cancelled"]);

function notDone(body: RequestBody): string {
  return body.kind === "click" ? `${body.site} was not edited.` : FAILURES[body.kind];
}

function agrees(view: View, patch: Partial<View>): boolean {
  return (
    (patch.mode === undefined || patch.mode === view.mode) &&
    (patch.map === undefined || patch.map === view.map) &&
    (patch.prompt === undefined || patch.prompt === view.prompt) &&
    (patch.map_layer === undefined || patch.map_layer === view.map_layer) &&
    (patch.live === undefined || patch.live === view.live) &&
    (patch.colours === undefined || patch.colours === view.colours) &&
    (patch.positions === undefined || samePositions(patch.positions, view.positions))
  );
}

/** `after`, or `before` itself where both hold the same: who draws by it can tell that nothing changed. */
function unchanged<T>(before: readonly T[], after: readonly T[]): readonly T[] {
  const same = before.length === after.length && before.every((item, i) => item === after[i]);
  return same ? before : after;
}

function onSnapshot(state: BoardState, sent: Snapshot): BoardState {
  const snapshot = withInertUnits(sent);
  const moved = state.snapshot === null || snapshot.revision !== state.snapshot.revision;
  return {
    ...state,
    snapshot,
    busy: null,
    clicks: unchanged(
      state.clicks,
      state.clicks.filter(
        (click) =>
          !click.overtaken && (click.shownFrom === null || click.shownFrom > snapshot.revision),
      ),
    ),
    views: unchanged(
      state.views,
      state.views.filter((view) => !view.answered && !agrees(snapshot.view, view.patch)),
    ),
    // A step that worked outdates the last complaint and the last proof.
    trouble: moved ? null : state.trouble,
    verified: moved ? null : state.verified,
    detail: moved ? { ...state.detail, failed: null } : state.detail,
  };
}

// A map starts blank; until its cells are known the panel goes on showing what they were.
function carriedOver(map: EffectMap, last: EffectMap | undefined): Float32Array | null {
  if (last === undefined || scaleKey(last) !== scaleKey(map)) return null;
  if (last.effect.length !== map.effect.length || last.shape[1] !== map.shape[1]) return null;
  if (last.map_id === map.map_id) return last.before;
  return last.effect.map((effect, i) => {
    // Another neuron may have come to stand in this cell.
    if (last.index?.[i] !== map.index?.[i]) return Number.NaN;
    return last.known[i] !== 0 ? effect : (last.before?.[i] ?? Number.NaN);
  });
}

function onMap(state: BoardState, message: EffectMap | MapChange): BoardState {
  const last = state.maps[message.over];
  const map = "cells" in message ? changedMap(last, message) : message;
  // A change of a map that is not here: a whole one is on its way.
  if (map === null) return state;
  const key = scaleKey(map);
  const drawn = { ...map, before: carriedOver(map, last) };
  const next: BoardState = {
    ...state,
    maps: { ...state.maps, [map.over]: drawn },
    scales: { ...state.scales, [key]: nextScale(map, state.scales[key]) },
  };
  if (map.status !== "computing") next.orders = { ...state.orders, [key]: orderOf(map) };
  if (map.status === "done" && map.n_edits === 0)
    next.unedited = { ...state.unedited, [map.over]: drawn };
  return next;
}

/** With a new setup the model was measured again: what maps and details said is of one that is no more. */
function remeasured(state: BoardState, setup: Setup | null): BoardState {
  if (setup === null) return state;
  const detail = { ...state.detail, answer: null };
  return { ...state, setup, detail, maps: {}, scales: {}, orders: {}, unedited: {}, kept: null };
}

function onEvent(
  state: BoardState,
  message: SnapshotEvent | BusyEvent | EffectMap | MapChange,
): BoardState {
  switch (message.kind) {
    case "snapshot":
      return onSnapshot(remeasured(state, message.setup ?? null), message.snapshot);
    case "busy":
      return { ...state, busy: message.what };
    case "map":
      return onMap(state, message);
  }
}

function onSent(state: BoardState, id: string, body: RequestBody): BoardState {
  const inFlight = ACTS.has(body.kind) ? [...state.inFlight, id] : state.inFlight;
  switch (body.kind) {
    case "click": {
      const click = {
        id,
        site: body.site,
        positions: body.positions ?? null,
        shownFrom: null,
        overtaken: false,
      };
      return { ...state, inFlight, clicks: [...state.clicks, click] };
    }
    case "set_view": {
      const { kind: _, ...patch } = body;
      return { ...state, views: [...state.views, { id, patch, answered: false }] };
    }
    case "compare":
      return { ...state, comparison: askedFor(state.comparison, id, body) };
    case "trace":
    case "readers":
      return { ...state, trace: askTrace(state.trace, state.selected, id, body) };
    case "verify":
      return { ...state, verifying: true };
    case "detail":
      return {
        ...state,
        detail: {
          ...state.detail,
          asked: {
            id,
            question: {
              site: body.site,
              position: body.position ?? null,
              prompt: body.prompt ?? 0,
              row: body.row ?? null,
              source: body.source ?? null,
              circuit: body.circuit ?? false,
              byPosition: body.by_position ?? false,
            },
          },
          failed: null,
        },
      };
    default:
      return { ...state, inFlight };
  }
}

function settledClicks(
  state: BoardState,
  id: string,
  settlement: Settlement,
): BoardState["clicks"] {
  const drawn = state.snapshot?.revision ?? -1;
  return state.clicks.flatMap((click) => {
    if (click.id !== id) return [click];
    if (settlement.kind === "done") {
      return settlement.revision <= drawn ? [] : [{ ...click, shownFrom: settlement.revision }];
    }
    return settlement.kind === "superseded" ? [{ ...click, overtaken: true }] : [];
  });
}

function settledViews(
  state: BoardState,
  id: string,
  settlement: Settlement,
): readonly PendingView[] {
  return state.views.flatMap((view) => {
    if (view.id !== id) return [view];
    const confirmed = settlement.kind === "done" || settlement.kind === "superseded";
    if (!confirmed || (state.snapshot !== null && agrees(state.snapshot.view, view.patch)))
      return [];
    return [{ ...view, answered: true }];
  });
}

// An answer to anything but the newest question is not drawn.
function settledDetail(
  detail: BoardState["detail"],
  id: string,
  settlement: Settlement,
): BoardState["detail"] {
  if (detail.asked === null || detail.asked.id !== id) return detail;
  const { question } = detail.asked;
  switch (settlement.kind) {
    case "detailed":
      return { answer: { to: question, read: settlement }, asked: null, failed: null };
    case "failed":
      return { answer: null, asked: null, failed: { question, error: settlement.error } };
    default:
      return { ...detail, asked: null };
  }
}

function onSettled(
  state: BoardState,
  id: string,
  body: RequestBody,
  settlement: Settlement,
): BoardState {
  const inFlight = unchanged(
    state.inFlight,
    state.inFlight.filter((other) => other !== id),
  );
  let clicks = settledClicks(state, id, settlement);
  if (inFlight.length === 0) clicks = clicks.filter((click) => !click.overtaken);
  const next: BoardState = {
    ...state,
    inFlight,
    clicks: unchanged(state.clicks, clicks),
    views: unchanged(state.views, settledViews(state, id, settlement)),
  };
  if (body.kind === "verify") next.verifying = false;
  if (body.kind === "detail") {
    next.detail = settledDetail(state.detail, id, settlement);
    return next;
  }
  if (body.kind === "trace" || body.kind === "readers") {
    next.trace = answerTrace(state.trace, id, settlement);
    return next;
  }
  if (body.kind === "compare") {
    next.comparison = answered(state.comparison, id, settlement);
    return next;
  }
  // Where a board is saved is asked in a dialog, which tells what was refused.
  if (body.kind === "save") return next;
  if (settlement.kind === "failed") {
    const { error } = settlement;
    next.trouble = { title: notDone(body), error, again: PASSING.has(error.code) ? body : null };
    next.busy = null;
  }
  if (settlement.kind === "verified" && state.snapshot !== null) {
    next.verified = { revision: state.snapshot.revision, result: settlement };
  }
  return next;
}

function onWelcome(state: BoardState, { setup, snapshot }: Welcome): BoardState {
  // A kernel that began anew counts revisions afresh: what was read before may be of another board.
  const detail = { ...state.detail, answer: null };
  const fresh = onSnapshot({ ...state, setup, detail, code: null }, snapshot);
  if (setup.protocol === PROTOCOL_VERSION) return fresh;
  const error = {
    code: "protocol_version",
    message: `The kernel's Circuitboard ${setup.version} speaks protocol ${setup.protocol}, this panel ${PROTOCOL_VERSION}. Reload the page, then run the cell again.`,
    where: null,
  };
  return { ...fresh, trouble: { title: "This panel is of another version.", error, again: null } };
}

function selected(state: BoardState, selection: Selection | null): BoardState {
  const same = selection !== null && selection.site === state.selected?.site;
  return {
    ...state,
    selected: selection,
    wants: same ? state.wants : NOTHING_MORE,
    trace: keepTrace(state.trace, selection),
  };
}

/** The next state. */
export function reduce(state: BoardState, action: Action): BoardState {
  switch (action.type) {
    case "sent":
      return onSent(state, action.id, action.body);
    case "settled":
      return onSettled(state, action.id, action.body, action.settlement);
    case "welcome":
      return onWelcome(state, action.message);
    case "event":
      return onEvent(state, action.message);
    case "failed-anywhere":
      return { ...state, busy: null };
    case "connected":
      return action.now
        ? { ...state, connected: true, gone: false, lostAt: null }
        : { ...state, connected: false, gone: action.gone, lostAt: action.at, busy: null };
    case "select":
      return selected(state, action.selection);
    case "want":
      return { ...state, wants: { ...state.wants, ...action.patch } };
    case "untrace":
      return { ...state, trace: null };
    case "look":
      return { ...state, look: { ...state.look, ...action.patch } };
    case "compare":
      return {
        ...state,
        kept: action.kept,
        look: { ...state.look, side: action.kept === null ? "b" : "difference" },
      };
    case "compare-states":
      return { ...state, comparison: action.comparison };
    case "code-kept":
      return { ...state, code: action.code };
    case "dismiss":
      return { ...state, trouble: null };
  }
}
