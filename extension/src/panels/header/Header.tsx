// The number, what it is, and the two switches that say what a click does.
import type { ComponentChildren, JSX } from "preact";
import { useHeldBack } from "../../parts/announced";
import { type Choice, Segmented } from "../../parts/controls";
import { Icon } from "../../parts/icon";
import { attribute, direction, duration, signed } from "../../parts/number";
import { real, realOrNull } from "../../protocol/decode";
import type { Setup, Snapshot } from "../../protocol/generated";
import { type Base, type BoardState, type Mode, shownView } from "../../store/state";
import type { Actions } from "../actions";
import { metricTerm } from "../help/glossary";
import { Term } from "../help/Term";
import { NotesChip, NotesList, useNotes } from "../notes/Notes";
import { clock } from "./clock";
import { MoreMetrics } from "./MoreMetrics";
import { metricName } from "./name";
import { ScaleBar } from "./ScaleBar";
import { Spread } from "./Spread";

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
      <Term name="exact">exact</Term>
      <span class="cb-quiet-text">
        {"\u00b7"} <Term name="tier">{setup.engine.tier}</Term>
        <span class="cb-latency">{latency === null ? "" : ` \u00b7 ${duration(latency)}`}</span>
      </span>
    </span>
  );
}

function Controls({
  state,
  act,
  setup,
  snapshot,
  menu,
  chip,
}: {
  state: BoardState;
  act: Actions;
  setup: Setup;
  snapshot: Snapshot;
  menu: ComponentChildren;
  chip: ComponentChildren;
}): JSX.Element {
  const off = !state.connected;
  const refused = setup.has_corrupted
    ? null
    : "There is no corrupted prompt: give PromptPair one to edit its run.";
  const bases: Choice<Base>[] = [
    { value: "clean", text: "clean", refused: null, term: "clean" },
    { value: "corrupted", text: "corrupted", refused, term: "corrupted" },
  ];
  const modes: Choice<Mode>[] = setup.modes.map(({ mode, refused: why }) => ({
    value: mode,
    text: mode,
    refused: why,
    term: mode,
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
        {chip}
        {menu}
      </div>
      <div class="cb-row cb-switches">
        <span class="cb-switch-field">
          <Term name="base">Base</Term>
          <Segmented
            cb="base"
            label="Base run"
            choices={bases}
            value={snapshot.base}
            disabled={off || !setup.has_corrupted}
            onChoose={act.setBase}
          />
        </span>
        <span class="cb-switch-field">
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

function MetricNumber({ value, waiting }: { value: number; waiting: boolean }): JSX.Element {
  const held = useHeldBack(value);
  return (
    <span
      class={`cb-num${waiting ? " cb-quiet-text" : ""}`}
      data-cb="metric"
      data-value={attribute(value)}
      aria-live="polite"
      aria-busy={held}
    >
      {signed(value)}
    </span>
  );
}

interface HeaderProps {
  state: BoardState;
  act: Actions;
  /** What leaves the panel. It follows the store by itself: this follows no map. */
  menu: ComponentChildren;
}

export function Header({ state, act, menu }: HeaderProps): JSX.Element {
  const { setup, snapshot } = state;
  const notes = useNotes();
  if (setup === null || snapshot === null) {
    return (
      <header class="cb-head">
        <div class="cb-metric">
          <div class="cb-hero">
            <span class="cb-num cb-quiet-text" data-cb="metric" data-value="nan">
              {"\u2013"}
            </span>
            <p class="cb-quiet-text">
              {state.connected ? "the first run is on its way" : "no kernel"}
            </p>
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
          <MetricNumber value={value} waiting={waiting} />
          <div>
            <p>
              <span class="cb-strong">
                <Term name={metricTerm(metric.name) ?? "metric"}>{metricName(metric.name)}</Term>
              </span>
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
      <Controls
        state={state}
        act={act}
        setup={setup}
        snapshot={snapshot}
        menu={menu}
        chip={<NotesChip notes={snapshot.notes} state={notes} />}
      />
      <MoreMetrics metrics={snapshot.more_metrics} />
      <NotesList notes={snapshot.notes} state={notes} />
    </header>
  );
}
