// The middle of a board where nothing is selected: what to click first and why, and the largest effects.
import type { JSX } from "preact";
import { type BoardState, currentMap, isStale, shownView } from "../../store/state";
import type { Actions } from "../actions";
import { metricName } from "../header/name";
import { isByPosition, positionsOf, siteOf } from "../map/grid/cells";
import { firstClicks } from "./first";
import { Ranking } from "./Ranking";

function Firsts({ state, act }: { state: BoardState; act: Actions }): JSX.Element {
  const { snapshot, setup } = state;
  const map = currentMap(state);
  const view = shownView(state);
  const list =
    map === null || view === null || snapshot === null || isStale(map, snapshot, view)
      ? []
      : firstClicks(
          map,
          setup?.prompts[view.prompt],
          { name: metricName(snapshot.metric.name), unit: snapshot.metric.unit },
          view.positions,
        );
  return (
    <ol class="cb-firsts">
      {list.map((first) => (
        <li key={first.name} class="cb-first">
          <button
            type="button"
            class="cb-btn cb-btn-quiet"
            data-cb="first-click"
            disabled={!state.connected}
            onClick={() => {
              if (first.kind === "position") {
                act.setView({ positions: [first.position] });
                return;
              }
              if (map === null || view === null) return;
              const { row, column } = first.cell;
              const site = siteOf(map, row, column);
              if (site === null) return;
              act.select({ site, position: isByPosition(map.over) ? column : null });
              act.click(site, positionsOf(map.over, column, view.positions));
            }}
          >
            {first.name}
          </button>
          <span>{first.why}</span>
        </li>
      ))}
    </ol>
  );
}

const DOING = {
  zero: "zero it",
  mean: "set it to its mean over the reference prompts",
  resample: "take it from another reference prompt",
  patch: "patch it from the other run",
} as const;

function FirstRun({ state, act }: { state: BoardState; act: Actions }): JSX.Element {
  const { over } = currentMap(state) ?? { over: "head" };
  const mode = shownView(state)?.mode ?? "zero";
  const what = over === "head" ? "a head" : over === "neuron" ? "a neuron" : "a cell";
  return (
    <>
      <h3 class="cb-title">Start with a click</h3>
      <p class="cb-hint">
        Click {what} to {DOING[mode]}. The metric, the tokens and the whole map follow at once;
        click again to take it back.
      </p>
      <Firsts state={state} act={act} />
      <p class="cb-hint">
        Shift-click looks without editing. Press / to find a component by name, ? for all keys.
      </p>
    </>
  );
}

export function Start({ state, act }: { state: BoardState; act: Actions }): JSX.Element {
  const { snapshot, setup, connected } = state;
  const region = {
    class: "cb-start",
    "data-cb": "detail",
    "data-site": "",
    "data-status": "empty",
  };
  if (setup === null || snapshot === null) {
    return (
      <section aria-label="Detail" {...region}>
        <h3 class="cb-title">{connected ? "Getting ready" : "No kernel"}</h3>
        <p class="cb-hint">
          {connected
            ? "The first run takes a moment: every prompt is run once and kept, so that each click after it computes only the difference."
            : "Nothing has been computed here. Run this cell to show the board."}
        </p>
      </section>
    );
  }
  return (
    <section aria-label="Detail" {...region}>
      {snapshot.edits.length === 0 ? (
        <FirstRun state={state} act={act} />
      ) : (
        <>
          <h3 class="cb-title">Nothing selected</h3>
          <p class="cb-hint">
            What you click is shown here. Shift-click looks without editing: where a head attends,
            what it writes, what a layer knows.
          </p>
        </>
      )}
      <Ranking state={state} act={act} />
    </section>
  );
}
