// Asking the kernel for what is to be shown of two states.
import { shownView } from "../../store/state";
import type { Store } from "../../store/store";

/** Ask; with `maps`, for the maps that the board is set to, too. Asking without stops one with. */
export function askComparison(store: Store, maps: boolean): void {
  const { comparison, connected } = store.state();
  const view = shownView(store.state());
  if (comparison === null || view === null || !connected) return;
  const { map, mode, positions, map_layer } = view;
  store.compareStates({
    ...comparison,
    maps: maps ? { map, mode, positions, map_layer } : null,
    failed: null,
  });
  void store.request({
    kind: "compare",
    left: comparison.left,
    right: comparison.right,
    prompt: view.prompt,
    ...(maps ? { map: true } : {}),
  });
}
