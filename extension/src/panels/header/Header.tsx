// The number, what it is, and the two switches that say what a click does.
import type { JSX } from "preact";
import { type Choice, Segmented } from "../../parts/controls";
import { Icon } from "../../parts/icon";
import { attribute, direction, duration, signed } from "../../parts/number";
import { real, realOrNull } from "../../protocol/decode";
import type { Setup, Snapshot } from "../../protocol/generated";
import { type Base, type BoardState, type Mode, shownView } from "../../store/state";
import type { Actions } from "../actions";
import { MoreMetrics } from "./MoreMetrics";
import { metricName } from "./name";
import { ScaleBar } from "./ScaleBar";
import { Spread } from "./Spread";

const MODE_TITLES: Record<Mode, string> = {
  zero: "A click sets the activation to zero (key 1)",
  mean: "A click sets the activation to its mean over the reference prompts, position by position (key 2)",
  resample:
    "A click takes the activation from another reference prompt, at the same position (key 3)",
  patch: "A click takes the activation from the other run (key 4)",
};

function clock(at: number | null): string {
  return at === null
    ? ""
    : new Date(at).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}

function Second({ state, snapshot }: { state: BoardState; snapshot: Snapshot }): JSX.Element {
  const change = realOrNull(snapshot.metric.change);
  if (!state.connected) {
    return <span class="cb-quiet-text">as of {clock(state.lostAt)}, not live</span>;
  }
  if (state.busy !== null) {
    return (
      <span class="cb-quiet-text">
        <span class="cb-pulse">{"\u25cf "}</span>
        computing {state.busy}
      </span>
    );
  }
  if (snapshot.edits.length === 0 && (change === null || change === 0)) {
    return <span class="cb-quiet-text">nothing edited: {snapshot.base} run</span>;
  }
  if (change === null) return <span class="cb-quiet-text">as loaded</span>;
  const arrow = change < 0 ? "\u25be " : change > 0 ? "\u25b4 " : "";
  return (
    <>
      <span class={`cb-strong ${direction(change)}`}>
        {arrow}
        {signed(change)}
      </span>
      <span class="cb-quiet-text"> since last step</span>
    </>
  );
}

function Badge({
  state,
  setup,
  snapshot,
}: {
  state: BoardState;
  setup: Setup;
  snapshot: Snapshot;
}): JSX.Element {
  if (!state.connected) return <span class="cb-badge cb-warn">disconnected</span>;
  const latency = snapshot.latency_ms;
  return (
    <span
      class="cb-badge"
      title={`exact: each number is a full run with the edits in force. ${setup.engine.tier}: ${setup.engine.why}`}
    >
      <Icon name="check" size={12} />
      exact
      <span class="cb-quiet-text">
        {"\u00b7"} {setup.engine.tier}
        {latency === null ? null : ` \u00b7 ${duration(latency)}`}
      </span>
    </span>
  );
}

function Controls({
  state,
  act,
  setup,
  snapshot,
}: {
  state: BoardState;
  act: Actions;
  setup: Setup;
  snapshot: Snapshot;
}): JSX.Element {
  const off = !state.connected;
  const refused = setup.has_corrupted
    ? null
    : "There is no corrupted prompt: give PromptPair one to edit its run.";
  const bases: Choice<Base>[] = [
    { value: "clean", text: "clean", refused: null, title: "Edit the clean run (key b switches)" },
    {
      value: "corrupted",
      text: "corrupted",
      refused,
      title: "Edit the corrupted run (key b switches)",
    },
  ];
  const modes: Choice<Mode>[] = setup.modes.map(({ mode, refused: why }) => ({
    value: mode,
    text: mode,
    refused: why,
    title: MODE_TITLES[mode],
  }));
  return (
    <div class="cb-ctrl">
      <div class="cb-row cb-about">
        <span class="cb-model" title={`${setup.model}, ${setup.dtype}, ${setup.device}`}>
          <span class="cb-strong">{setup.model}</span>
          <span class="cb-quiet-text">
            {" "}
            {setup.dtype.replace("float", "fp").replace("bfp", "bf")} {"\u00b7"} {setup.device}
          </span>
        </span>
        <Badge state={state} setup={setup} snapshot={snapshot} />
      </div>
      <div class="cb-row cb-switches">
        <span class="cb-field">
          Base
          <Segmented
            cb="base"
            label="Base run"
            choices={bases}
            value={snapshot.base}
            disabled={off || !setup.has_corrupted}
            onChoose={act.setBase}
          />
        </span>
        <span class="cb-field">
          Click to
          <Segmented
            cb="mode"
            label="What a click does"
            choices={modes}
            value={shownView(state)?.mode ?? null}
            disabled={off}
            onChoose={(mode) => act.setView({ mode })}
          />
        </span>
      </div>
    </div>
  );
}

export function Header({ state, act }: { state: BoardState; act: Actions }): JSX.Element {
  const { setup, snapshot } = state;
  if (setup === null || snapshot === null) {
    return (
      <header class="cb-head">
        <div class="cb-metric">
          <div class="cb-hero">
            <span class="cb-num cb-quiet-text" data-cb="metric" data-value="nan">
              {"\u2013"}
            </span>
            <p class="cb-quiet-text">{state.connected ? "waiting for the kernel" : "no kernel"}</p>
          </div>
        </div>
      </header>
    );
  }
  const { metric } = snapshot;
  const value = real(metric.value);
  const waiting = state.busy !== null || !state.connected;
  const prompt = setup.prompts[shownView(state)?.prompt ?? 0];
  return (
    <header class="cb-head">
      <div class={`cb-metric${metric.values.length > 1 ? " cb-several" : ""}`}>
        <div class="cb-hero">
          <span
            class={`cb-num${waiting ? " cb-quiet-text" : ""}`}
            data-cb="metric"
            data-value={attribute(value)}
            aria-live="polite"
          >
            {signed(value)}
          </span>
          <div>
            <p>
              <span class="cb-strong">{metricName(metric.name)}</span>
              <span class="cb-quiet-text">, {metric.unit}</span>
            </p>
            <p>
              <Second state={state} snapshot={snapshot} />
            </p>
            <Spread metric={metric} />
          </div>
        </div>
        <ScaleBar
          metric={{ ...metric, name: metricName(metric.name) }}
          prompt={prompt}
          edited={snapshot.metric.change !== null}
        />
      </div>
      <Controls state={state} act={act} setup={setup} snapshot={snapshot} />
      <MoreMetrics metrics={snapshot.more_metrics} />
    </header>
  );
}
