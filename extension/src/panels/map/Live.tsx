// Whether the map follows every step by itself, what that costs, and the way to have it follow once.
import type { JSX } from "preact";
import { Button, Switch } from "../../parts/controls";
import { duration } from "../../parts/number";
import { type BoardState, currentMap, isStale, shownView } from "../../store/state";
import type { Actions } from "../actions";
import { Term } from "../help/Term";

export function Live({ state, act }: { state: BoardState; act: Actions }): JSX.Element | null {
  const { snapshot } = state;
  const view = shownView(state);
  const map = currentMap(state);
  if (snapshot === null || view === null) return null;
  const off = !state.connected;
  const stale = map !== null && !view.live && isStale(map, snapshot, view);
  return (
    <span class="cb-row cb-live">
      <Switch
        cb="live"
        label="Live map: compute it again after each step"
        on={view.live}
        disabled={off}
        onClick={() => act.setView({ live: !view.live })}
      />
      <Term name="live">Live</Term>
      {map === null || map.status !== "done" ? null : (
        <span
          class="cb-quiet-text"
          data-cb="map-cost"
          data-ms={map.elapsed_ms}
          title="What the last map took, from the step to its last exact cell"
        >
          {duration(map.elapsed_ms)}
        </span>
      )}
      {stale ? (
        <>
          <span
            class="cb-warn"
            data-cb="map-stale"
            title="The map is of the state before; it does not follow while live is off"
          >
            stale
          </span>
          <Button
            cb="map-update"
            title="Compute the map of the state that is shown"
            disabled={off}
            onClick={act.resumeMap}
          >
            Update
          </Button>
        </>
      ) : null}
    </span>
  );
}
