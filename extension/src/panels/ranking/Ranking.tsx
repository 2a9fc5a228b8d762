// The strongest cells of the map by name, as a list one can click: where to look first.
import type { JSX } from "preact";
import { useCalm } from "../../parts/calm";
import { direction, signed, withError } from "../../parts/number";
import { tokenWords } from "../../parts/token";
import { type BoardState, currentMap, isStale, shownView } from "../../store/state";
import type { Actions } from "../actions";
import {
  cellName,
  editOn,
  isByPosition,
  isPending,
  largest,
  layerOf,
  positionsOf,
  siteOf,
  stderrAt,
} from "../map/grid/cells";
import { Glyph } from "../map/grid/Glyph";
import { Whisker } from "../map/grid/Whisker";

const ROWS = 8;

export function Ranking({ state, act }: { state: BoardState; act: Actions }): JSX.Element {
  const { snapshot } = state;
  const map = currentMap(state);
  const view = shownView(state);
  const stale = map !== null && snapshot !== null && view !== null && isStale(map, snapshot, view);
  const rows = map === null ? [] : largest(map, ROWS);
  // Said when it is shown, after a moment: of a map that is there sooner nothing is.
  const passing = stale || rows.some(({ old }) => old);
  const told = useCalm(passing, passing);
  const prompt = state.setup?.prompts[view?.prompt ?? 0];
  const n = snapshot?.metric.values.length ?? 1;
  // Bars and their whiskers on one scale.
  const most = rows.reduce(
    (size, { row, column, effect }) =>
      Math.max(size, Math.abs(effect) + (map === null ? 0 : (stderrAt(map, row, column) ?? 0))),
    0,
  );
  return (
    <section class="cb-ranking" aria-label="Largest effects">
      <h3 class="cb-h">
        Largest effects
        {map === null || map.over === "head" || map.over === "neuron"
          ? ""
          : ` of ${map.over === "head_pos" ? `layer ${map.layers[0]}` : map.over}`}
        {snapshot === null ? null : (
          <span class="cb-quiet-text cb-plain">
            {" "}
            {snapshot.metric.unit}
            {n > 1 ? `, mean of n=${n}` : ""}
          </span>
        )}
      </h3>
      {map === null || view === null || rows.length === 0 ? (
        <p class="cb-hint">
          {map === null || map.status === "computing"
            ? "They appear here as they are computed."
            : "No cell changes the metric."}
        </p>
      ) : (
        <ol class="cb-ranks">
          {rows.map(({ row, column, effect, old, estimated }) => {
            const name = cellName(map, row, column);
            const edit = editOn(snapshot?.edits ?? [], map, row, column);
            const tag = prompt?.columns[column]?.labels[0];
            const site = siteOf(map, row, column);
            const at = tokenWords(tag ?? String(column), 8);
            const pending = isPending(state.clicks, map, row, column);
            const error = old || stale ? null : stderrAt(map, row, column);
            const words = withError(effect, error);
            const shown = !isByPosition(map.over)
              ? name.replace("neuron ", "")
              : `${map.over === "head_pos" ? site : layerOf(map, row)} @ ${at}`;
            // As drawn, in its order; what kind of component it is stands before it.
            const label = [
              `${map.over.startsWith("head") ? "head" : map.over} ${shown}: ${words}`,
              told && (old || stale) ? "before the last step" : estimated ? "approximate" : "",
              edit === null ? "" : `edited: ${edit.how}${edit.enabled ? "" : ", switched off"}`,
            ];
            const share = `${((50 * Math.abs(effect)) / most).toFixed(1)}%`;
            return (
              <li key={name}>
                <button
                  type="button"
                  class={`cb-rank${old || stale ? " cb-rank-old" : ""}${pending ? " cb-in-flight" : ""}`}
                  data-cb="rank"
                  aria-pressed={edit !== null}
                  aria-label={label.filter((word) => word !== "").join(", ")}
                  title={error === null ? undefined : `${words} (s.e., n=${n})`}
                  disabled={!state.connected}
                  onClick={() => {
                    if (site === null) return;
                    act.select({ site, position: isByPosition(map.over) ? column : null });
                    act.click(site, positionsOf(map.over, column, view.positions));
                  }}
                >
                  <span class="cb-rank-name">
                    {shown}
                    {edit === null ? null : (
                      <span class={`cb-swatch cb-edited${edit.enabled ? "" : " cb-dashed"}`}>
                        {edit.enabled ? <Glyph how={edit.how} /> : null}
                      </span>
                    )}
                  </span>{" "}
                  <span class="cb-rank-bar" aria-hidden="true">
                    <span
                      class={`${direction(effect)}-fill`}
                      style={
                        effect < 0 ? { right: "50%", width: share } : { left: "50%", width: share }
                      }
                    />
                    <Whisker effect={effect} error={error} most={most} />
                  </span>
                  <span class={`cb-rank-effect ${direction(effect)}`}>
                    {estimated ? "\u2248" : ""}
                    {signed(effect)}
                  </span>
                </button>
              </li>
            );
          })}
        </ol>
      )}
    </section>
  );
}
