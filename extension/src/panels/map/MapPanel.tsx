// The map of what matters now, with its tabs, caption and legend.
import type { JSX, TargetedKeyboardEvent } from "preact";
import type { Theme } from "../../parts/theme";
import { baselineDistance, scaleKey } from "../../store/scale";
import { type BoardState, currentMap, isStale, type MapOver, shownView } from "../../store/state";
import type { Actions } from "../actions";
import { editOn, positionsOf, siteOf } from "./cells";
import { Grid } from "./Grid";
import { Legend } from "./Legend";
import { mapCaption } from "./words";

const TABS: Record<MapOver, string> = { head: "Heads", resid_pre: "Residual \u00d7 position" };

/** Effects this many times the distance of the baselines make that distance no scale for them. */
const FAR_BEYOND = 2;

/** The end of the colour scale, and whether it is fixed by the baselines. */
export function clipFor(state: BoardState): { clip: number; fixed: boolean } {
  const map = currentMap(state);
  if (map === null || state.snapshot === null) return { clip: 0, fixed: false };
  const clip = state.scales[scaleKey(map)] ?? 0;
  const distance =
    map.over === "resid_pre" ? baselineDistance(state.snapshot.metric.baselines) : null;
  return distance === null || clip > FAR_BEYOND * distance
    ? { clip, fixed: false }
    : { clip: distance, fixed: true };
}

interface TabsProps {
  maps: readonly MapOver[];
  shown: MapOver;
  disabled: boolean;
  onChoose(map: MapOver): void;
}

function Tabs({ maps, shown, disabled, onChoose }: TabsProps): JSX.Element {
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLElement>): void => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const next =
      step === undefined
        ? undefined
        : maps[(maps.indexOf(shown) + step + maps.length) % maps.length];
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    onChoose(next);
    event.currentTarget.querySelector<HTMLElement>(`[data-value="${next}"]`)?.focus();
  };
  return (
    <div
      class="cb-tabs"
      role="tablist"
      aria-label="Maps"
      data-cb="map"
      data-value={shown}
      onKeyDown={onKeyDown}
    >
      {maps.map((map) => (
        <button
          type="button"
          role="tab"
          key={map}
          data-value={map}
          aria-selected={map === shown}
          tabIndex={map === shown ? 0 : -1}
          disabled={disabled}
          onClick={() => onChoose(map)}
        >
          {TABS[map]}
        </button>
      ))}
    </div>
  );
}

function Plot({
  state,
  act,
  theme,
}: {
  state: BoardState;
  act: Actions;
  theme: Theme;
}): JSX.Element {
  const { setup, snapshot } = state;
  const map = currentMap(state);
  const view = shownView(state);
  if (map === null || view === null || setup === null || snapshot === null) {
    return <p class="cb-hint cb-map-hint">The map is on its way.</p>;
  }
  const { clip, fixed } = clipFor(state);
  const stale = isStale(map, snapshot, view);
  const prompt = setup.prompts[view.prompt];
  const { unit } = snapshot.metric;
  return (
    <>
      <p class="cb-caption">{mapCaption(map, prompt)}</p>
      <Grid
        key={map.over}
        map={map}
        clip={clip}
        stale={stale}
        unit={unit}
        prompts={setup.prompts.length}
        prompt={prompt}
        edits={snapshot.edits}
        clicks={state.clicks}
        selected={view.positions}
        theme={theme}
        disabled={!state.connected}
        onClick={({ row, column }) =>
          act.click(siteOf(map.over, row, column), positionsOf(map.over, column, view.positions))
        }
        onRemove={act.remove}
      />
      <Legend
        map={map}
        clip={clip}
        unit={unit}
        fixed={fixed}
        stale={stale}
        edited={snapshot.edits.some(
          (edit) =>
            edit.kind === map.over &&
            editOn([edit], map.over, edit.layer, edit.index ?? edit.positions?.[0] ?? 0) !== null,
        )}
        theme={theme}
      />
    </>
  );
}

export function MapPanel({
  state,
  act,
  theme,
}: {
  state: BoardState;
  act: Actions;
  theme: Theme;
}): JSX.Element {
  const view = shownView(state);
  const maps = state.setup?.maps ?? ["head"];
  const shown = view?.map ?? "head";
  return (
    <section class="cb-map" aria-label={`Map: ${TABS[shown]}`}>
      <Tabs
        maps={maps}
        shown={shown}
        disabled={!state.connected || view === null}
        onChoose={(map) => act.setView({ map })}
      />
      <Plot state={state} act={act} theme={theme} />
    </section>
  );
}
