// How far the map is, what the edits changed, and the proof on request.
import type { JSX } from "preact";
import { useCalm } from "../../parts/calm";
import { Button } from "../../parts/controls";
import { duration, plain } from "../../parts/number";
import type { EffectMap } from "../../protocol/decode";
import { ESTIMATED, real, realOrNull } from "../../protocol/decode";
import { MAPS } from "../../protocol/vocabulary.gen";
import { type BoardState, currentMap, isStale, shownView } from "../../store/state";
import type { Actions } from "../actions";
import { receiptWords } from "../edits/receipt";
import { HelpButton } from "../help/HelpButton";
import { Term } from "../help/Term";

function isFrozen(map: EffectMap, state: BoardState): boolean {
  const view = shownView(state);
  const { snapshot } = state;
  return view !== null && snapshot !== null && !view.live && isStale(map, snapshot, view);
}

function progressWords(map: EffectMap, state: BoardState): string {
  const { done, total } = map;
  if (!state.connected && map.status === "computing")
    return `Stopped at ${done} of ${total} when the kernel went`;
  switch (map.status) {
    case "computing":
      if (done === 0)
        return state.busy === null ? `Map: 0 of ${total} exact` : "The map waits for the step";
      return `${done} of ${total} exact${map.known.includes(ESTIMATED) ? ", rest approximate" : ""}; about ${duration((map.elapsed_ms / done) * (total - done))} left`;
    case "done":
      if (isFrozen(map, state)) return "The map is of an earlier state: live is off";
      return `All ${total} ${MAPS[map.over].cells} exact, ${duration(map.elapsed_ms)}`;
    case "cancelled":
      return map.known.includes(ESTIMATED)
        ? `Stopped at ${done} of ${total}; ${total - done} stay approximate`
        : `Stopped at ${done} of ${total}; ${total - done} not computed`;
    case "failed":
      return `The map failed at ${done} of ${total}`;
  }
}

function Progress({ state, act }: { state: BoardState; act: Actions }): JSX.Element {
  const map = currentMap(state);
  const now =
    map === null
      ? { words: state.connected ? "Waiting for the first run" : "", share: 0 }
      : {
          words: progressWords(map, state),
          share: map.total > 0 ? (100 * map.done) / map.total : 100,
        };
  const { words, share } = useCalm(now, map?.status === "computing" && state.connected);
  if (map === null) return <span data-cb="progress">{words}</span>;
  return (
    <>
      <span
        class="cb-progress"
        role="progressbar"
        data-cb="progress"
        data-status={map.status}
        aria-valuemin={0}
        aria-valuemax={map.total}
        aria-valuenow={map.done}
        aria-label="Exact cells of the map"
      >
        <span style={{ width: `${share.toFixed(1)}%` }} />
      </span>
      <span class="cb-progress-words" title={map.error?.message}>
        {words}
        {map.status === "failed" && map.error !== null ? `: ${map.error.message}` : ""}
      </span>
      {map.status === "computing" && state.connected ? (
        <span class="cb-soon">
          <Button cb="cancel" title="Leave the map where it is" onClick={act.cancelMap}>
            Cancel
          </Button>
        </span>
      ) : null}
      {(map.status === "cancelled" || map.status === "failed") && state.connected ? (
        <Button cb="resume" title="Compute what is missing" onClick={act.resumeMap}>
          Resume
        </Button>
      ) : null}
    </>
  );
}

function Receipts({ state }: { state: BoardState }): JSX.Element | null {
  const { snapshot } = state;
  const edits = snapshot?.edits.filter((edit) => edit.enabled) ?? [];
  if (snapshot === null || edits.length === 0) return null;
  const changes = edits.map((edit) => realOrNull(edit.norm_change));
  const known = changes.filter((change) => change !== null);
  const idle = known.filter((change) => change === 0).length;
  const norm = Math.sqrt(known.reduce((sum, change) => sum + change * change, 0));
  const n = known.length - idle;
  const title = edits
    .map((edit) => `${edit.site}: ${receiptWords(edit, snapshot.metric.unit)}`)
    .join("\n");
  return (
    <span class="cb-receipts" data-cb="receipts" title={title}>
      <Term name="receipt">
        {n} {n === 1 ? "site" : "sites"} changed
      </Term>
      <span class="cb-quiet-text">
        {" "}
        {"\u2016\u0394\u2016"} {plain(norm)} (activation norm)
      </span>
      {idle > 0 ? (
        <span class="cb-warn">
          {" "}
          {"\u00b7"} {idle} {idle === 1 ? "edit changes" : "edits change"} nothing
        </span>
      ) : null}
    </span>
  );
}

function Proof({ state }: { state: BoardState }): JSX.Element | null {
  if (state.verifying) return <span class="cb-quiet-text">running plain hooks{"\u2026"}</span>;
  if (state.verified === null) return null;
  const { ok, max_abs_error, tolerance, disagrees } = state.verified.result;
  const error = real(max_abs_error);
  const size =
    error === 0
      ? "0"
      : Number.isFinite(error)
        ? error.toExponential(1).replace("-", "\u2212")
        : "nan";
  return (
    <span class={ok ? "" : "cb-warn"} data-cb="verified" data-ok={ok}>
      {ok
        ? `Equal to plain hooks on your model, off by ${size} at most`
        : disagrees === "unedited"
          ? `Not your model: its unedited logits are off by ${size}, tolerance ${tolerance}`
          : `Not equal to plain hooks on your model: off by ${size}, tolerance ${tolerance}`}
    </span>
  );
}

export function Footer({ state, act }: { state: BoardState; act: Actions }): JSX.Element {
  const off = !state.connected || state.snapshot === null;
  return (
    <footer class="cb-foot">
      <div class="cb-row cb-foot-left">
        <Progress state={state} act={act} />
      </div>
      <span class="cb-grow" />
      <div class="cb-row cb-foot-right">
        <span role="status" class="cb-row">
          <Proof state={state} />
        </span>
        <Receipts state={state} />
        <Button
          cb="verify"
          look="line"
          term="verify"
          disabled={off || state.verifying}
          onClick={act.verify}
        >
          Verify
        </Button>
        <HelpButton />
      </div>
    </footer>
  );
}
