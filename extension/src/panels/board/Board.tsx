// The whole panel: the regions in their places, and what belongs to none of them.
import type { JSX } from "preact";
import { useLayoutEffect, useMemo, useReducer } from "preact/hooks";
import { useTheme } from "../../parts/theme";
import { phase, shownView } from "../../store/state";
import type { Store } from "../../store/store";
import { actionsOf } from "../actions";
import { Banner } from "../banner/Banner";
import { CodeDialog } from "../code/CodeDialog";
import { useCopying } from "../code/copying";
import { Detail } from "../detail/Detail";
import { Edits } from "../edits/Edits";
import { Footer } from "../footer/Footer";
import { Header } from "../header/Header";
import { History } from "../history/History";
import { MapPanel } from "../map/MapPanel";
import { PerPrompt } from "../per_prompt/PerPrompt";
import { Prompts } from "../prompts/Prompts";
import { Ranking } from "../ranking/Ranking";
import { Tokens } from "../tokens/Tokens";
import { isForTheHost, onKey } from "./keys";

export function Board({ store }: { store: Store }): JSX.Element {
  const [, redraw] = useReducer<number, void>((n) => n + 1, 0);
  // Before the browser paints, and with a look back: nothing may arrive between drawing and listening.
  useLayoutEffect(() => {
    redraw();
    return store.subscribe(redraw);
  }, [store]);
  const act = useMemo(() => actionsOf(store), [store]);
  const theme = useTheme();
  const state = store.state();
  const view = shownView(state);
  const copying = useCopying(async (what) => {
    if (what !== "state") return act.exported(what === "csv" ? "csv" : "python");
    const answer = await act.code();
    return answer.kind === "code" ? answer.text : null;
  });
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys of the controls inside bubble up to here.
    <div
      class={`cb-root cb-${theme}`}
      data-cb="board"
      data-state={phase(state)}
      data-engine={state.setup?.engine.tier ?? ""}
      data-revision={state.snapshot?.revision ?? ""}
      data-lm-suppress-shortcuts="true"
      onKeyDown={(event) => {
        const ours = onKey(event, store.state(), act);
        if (ours) event.preventDefault();
        if (ours || !isForTheHost(event)) event.stopPropagation();
      }}
    >
      <div class={`cb-board${state.connected ? "" : " cb-frozen"}`}>
        <Header state={state} act={act} />
        <Banner state={state} act={act} />
        {copying.byHand === null ? null : (
          <CodeDialog {...copying.byHand} onClose={copying.close} />
        )}
        {state.setup === null || view === null ? null : (
          <Prompts setup={state.setup} view={view} connected={state.connected} act={act} />
        )}
        <div class="cb-main">
          <MapPanel state={state} act={act} theme={theme} copying={copying} />
          <Ranking state={state} act={act} />
          <aside class="cb-side" aria-label="Edits, history and top tokens">
            <Edits state={state} act={act} copying={copying} />
            <History state={state} act={act} />
            <Tokens state={state} />
          </aside>
        </div>
        <Detail state={state} act={act} theme={theme} />
        <PerPrompt state={state} act={act} />
        <Footer state={state} act={act} />
      </div>
    </div>
  );
}
