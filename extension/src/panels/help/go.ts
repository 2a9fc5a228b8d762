// Going to what was found: the right map, the component selected, the focus on its cell.
import { shownView } from "../../store/state";
import type { Store } from "../../store/store";
import type { Actions } from "../actions";
import type { Destination } from "./search";

/** How long a map that has just been asked for may take to have the cell (ms). */
const PATIENCE_MS = 5000;
const LOOK_MS = 50;

function hook(to: Destination): string {
  const { map, site, position } = to;
  if (map === null || site === null) return `[data-cb="token"][data-pos="${position}"]`;
  const [layer = "", index = ""] = site.replace(/^[a-z_]+ /, "").split(".");
  switch (map) {
    case "head":
      return `[data-cb="head"][data-layer="${layer}"][data-head="${index}"]`;
    case "head_pos":
      return `[data-cb="cell"][data-site="head_pos"][data-layer="${layer}"][data-head="${index}"][data-pos="${position}"]`;
    case "neuron":
      return `[data-cb="cell"][data-site="neuron"][data-layer="${layer}"][data-index="${index}"]`;
    default:
      return `[data-cb="cell"][data-site="${map}"][data-layer="${layer}"][data-pos="${position}"]`;
  }
}

/**
 * Show what was found and put the focus on it as soon as it is drawn; `missed` is called when it is not drawn
 * in time. What is done meanwhile by hand ends the wait.
 */
export function goTo(
  to: Destination,
  store: Store,
  act: Actions,
  root: HTMLElement,
  missed: () => void,
): void {
  const view = shownView(store.state());
  if (to.map !== null && view !== null) {
    const layer = to.layer ?? view.map_layer;
    if (to.map !== view.map || layer !== view.map_layer)
      act.setView({ map: to.map, ...(to.layer === null ? {} : { map_layer: layer }) });
  }
  if (to.site !== null) act.select({ site: to.site, position: to.position });
  const selector = hook(to);
  const end = Date.now() + PATIENCE_MS;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = (): void => {
    clearTimeout(timer);
    for (const type of ["keydown", "pointerdown"]) root.removeEventListener(type, stop, true);
  };
  const look = (): void => {
    const cell = root.querySelector<HTMLElement>(selector);
    if (cell !== null && !(cell instanceof HTMLButtonElement && cell.disabled)) {
      stop();
      cell.focus();
      cell.scrollIntoView({ block: "nearest", inline: "nearest" });
    } else if (Date.now() > end) {
      stop();
      missed();
    } else timer = setTimeout(look, LOOK_MS);
  };
  timer = setTimeout(() => {
    for (const type of ["keydown", "pointerdown"]) root.addEventListener(type, stop, true);
    look();
  });
}
