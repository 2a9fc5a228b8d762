// The map of what matters now, with its tabs, caption and legend.
import type { JSX, TargetedKeyboardEvent } from "preact";
import { useMemo } from "preact/hooks";
import { Button } from "../../parts/controls";
import type { EditRow } from "../../protocol/generated";
import { MAPS } from "../../protocol/vocabulary.gen";
import { keptFor } from "../../store/look";
import { baselineDistance, clipOf, endOf, scaleKey } from "../../store/scale";
import { type BoardState, currentMap, isStale, type MapOver, shownView } from "../../store/state";
import type { Actions } from "../actions";
import type { Copying } from "../code/copying";
import { Term } from "../help/Term";
import { type CellEdit, editsOn, isByPosition, isOnMap, positionsOf, siteOf } from "./grid/cells";
import { Grid } from "./grid/Grid";
import { Live } from "./Live";
import { Compare } from "./look/Compare";
import type { Palette } from "./look/colour";
import { differenceOf } from "./look/difference";
import { Legend } from "./look/Legend";
import { linesOf, type Spot } from "./look/lines";
import { planeOf } from "./look/plane";
import { ViewMenu } from "./look/ViewMenu";
import { comparisonWords, lookWords } from "./words/look_words";
import { mapCaption } from "./words/words";

const NO_EDITS: readonly EditRow[] = [];
const NO_CELLS: ReadonlyMap<number, CellEdit> = new Map();

/** The end of the colour scale, and whether it is fixed by the baselines. */
export function clipFor(state: BoardState): { clip: number; fixed: boolean } {
  const map = currentMap(state);
  if (map === null || state.snapshot === null) return { clip: 0, fixed: false };
  const clip = state.scales[scaleKey(map)] ?? 0;
  const distance =
    map.over === "resid_pre" ? baselineDistance(state.snapshot.metric.baselines) : null;
  return endOf(clip, distance);
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
      data-cb="map-choice"
      data-value={shown}
      onKeyDown={onKeyDown}
    >
      {maps.map((map) => (
        <button
          type="button"
          role="tab"
          key={map}
          data-value={map}
          data-term={map === "head_pos" ? "head" : map}
          aria-selected={map === shown}
          tabIndex={map === shown ? 0 : -1}
          disabled={disabled}
          onClick={() => onChoose(map)}
        >
          {MAPS[map].tab}
        </button>
      ))}
    </div>
  );
}

function LayerChoice({
  layers,
  layer,
  disabled,
  onChoose,
}: {
  layers: number;
  layer: number;
  disabled: boolean;
  onChoose(layer: number): void;
}): JSX.Element {
  return (
    <label class="cb-pick">
      Layer
      <select
        data-cb="map-layer"
        value={String(layer)}
        disabled={disabled}
        onChange={(event) => onChoose(Number(event.currentTarget.value))}
      >
        {Array.from({ length: layers }, (_, i) => (
          <option key={i} value={String(i)}>
            {i}
          </option>
        ))}
      </select>
    </label>
  );
}

interface PanelProps {
  state: BoardState;
  act: Actions;
  palette: Palette;
  copying: Copying;
}

function Plot({ state, act, palette }: PanelProps): JSX.Element {
  const { setup, snapshot, look, unedited } = state;
  const map = currentMap(state);
  const kept = useMemo(
    () => (state.kept === null || map === null ? state.kept : keptFor(map, state.kept, unedited)),
    [state.kept, map?.over, map?.layers[0], unedited],
  );
  const view = shownView(state);
  const { clip, fixed } = clipFor(state);
  const edits = snapshot?.edits ?? NO_EDITS;
  const baselines = snapshot?.metric.baselines;
  const unit = snapshot?.metric.unit ?? "";
  const compared = useMemo(
    () => (kept === null || map === null ? null : differenceOf(kept.map, map)),
    [kept, map],
  );
  const difference = compared?.refused === null ? compared.difference : null;
  // Both sides of a comparison are drawn on the larger of their two scales.
  const keptClip = useMemo(
    () => (difference === null ? 0 : clipOf(difference.a, difference.knownA)),
    [difference],
  );
  const onCells = useMemo(() => (map === null ? NO_CELLS : editsOn(edits, map)), [edits, map]);
  const plane = useMemo(
    () =>
      map === null || baselines === undefined
        ? null
        : planeOf({
            map,
            look,
            clip: Math.max(clip, keptClip),
            baselines,
            unit,
            difference,
            edits: onCells,
          }),
    [map, look, clip, keptClip, baselines, unit, difference, onCells],
  );
  const order = map === null ? undefined : state.orders[scaleKey(map)];
  const lines = useMemo(
    () => (map === null ? null : linesOf(map, look, order)),
    // The axes of a map stay while its numbers fill in.
    [map?.map_id, map?.shape[0], map?.shape[1], look.order, look.layers, order],
  );
  if (map === null || view === null || setup === null || snapshot === null) {
    return <p class="cb-hint cb-map-hint">The map is on its way.</p>;
  }
  if (map.status === "failed" && !map.known.some((known) => known !== 0)) {
    return (
      <p class="cb-hint cb-map-hint" data-cb="map-refused">
        {map.error?.message ?? "The map failed."}
      </p>
    );
  }
  if (plane === null || lines === null) return <p class="cb-hint cb-map-hint" />;
  const stale = isStale(map, snapshot, view);
  const prompt = setup.prompts[view.prompt];
  const select = ({ row, column }: Spot): string | null => {
    const site = siteOf(map, row, column);
    if (site !== null) act.select({ site, position: isByPosition(map.over) ? column : null });
    return site;
  };
  const looked = lookWords(plane, look, order !== undefined);
  return (
    <>
      <div class="cb-map-top">
        <p class="cb-caption">
          {kept === null || difference === null ? (
            <>
              <Term name="effect">Effect</Term>
              {mapCaption(map, prompt).slice("Effect".length)}
            </>
          ) : (
            comparisonWords(plane, kept, prompt)
          )}
        </p>
        <ViewMenu state={state} plane={plane} palette={palette} act={act} disabled={false} />
      </div>
      {kept === null || compared === null ? null : (
        <Compare kept={kept} look={look} refused={compared.refused} act={act} />
      )}
      {looked === null ? null : (
        <p class="cb-note cb-look" data-cb="map-look">
          {looked}
        </p>
      )}
      {lines.rows.length === 0 ? (
        <p class="cb-hint cb-map-hint">No layer of this map is among those that are shown.</p>
      ) : (
        <Grid
          key={map.over}
          plane={plane}
          lines={lines}
          stale={stale && plane.side !== "a"}
          prompts={setup.prompts.length}
          prompt={prompt}
          edits={onCells}
          clicks={state.clicks}
          selected={view.positions}
          chosen={state.selected}
          keptName={difference === null ? null : (kept?.name ?? null)}
          palette={palette}
          disabled={!state.connected}
          onClick={(spot) => {
            const site = select(spot);
            if (site !== null) act.click(site, positionsOf(map.over, spot.column, view.positions));
          }}
          onSelect={select}
          onRemove={act.remove}
        />
      )}
      <Legend
        plane={plane}
        fixed={fixed && plane.side !== "difference" && keptClip <= clip}
        stale={stale}
        edited={snapshot.edits.some((edit) => isOnMap(edit, map))}
        palette={palette}
      />
    </>
  );
}

export function MapPanel(props: PanelProps): JSX.Element {
  const { state, act, copying } = props;
  const view = shownView(state);
  const maps = state.setup?.maps ?? ["head"];
  const shown = view?.map ?? "head";
  const off = !state.connected || view === null;
  return (
    <section class="cb-map" aria-label={`Map: ${MAPS[shown].tab}`}>
      <Tabs
        maps={maps}
        shown={shown}
        disabled={off}
        onChoose={(map) => {
          if (map !== shown) act.setView({ map });
        }}
      />
      <div class="cb-row cb-map-tools">
        {shown === "head_pos" && view !== null ? (
          <LayerChoice
            layers={state.setup?.n_layers ?? 0}
            layer={view.map_layer}
            disabled={off}
            onChoose={(layer) => act.setView({ map_layer: layer })}
          />
        ) : null}
        <Live state={state} act={act} />
        <span class="cb-grow" />
        <Button
          cb="copy-csv"
          title="Copy this map as CSV: site, value, effect, exact"
          disabled={off || currentMap(state) === null}
          onClick={() => copying.copy("csv")}
        >
          {copying.copied === "csv" ? "Copied" : "Copy CSV"}
        </Button>
      </div>
      <Plot {...props} />
    </section>
  );
}
