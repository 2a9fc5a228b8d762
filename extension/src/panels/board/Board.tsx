// The whole panel: the regions in their places, and what belongs to none of them.
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { useTheme } from "../../host";
import { type BoardState, phase, shownView } from "../../store/state";
import type { Store } from "../../store/store";
import { actionsOf } from "../actions";
import { Banner } from "../banner/Banner";
import { Unkept } from "../banner/Unkept";
import { CodeDialog } from "../code/CodeDialog";
import { useCopying } from "../code/copying";
import { CompareStates } from "../compare/CompareStates";
import { Detail } from "../detail/Detail";
import { Edits } from "../edits/Edits";
import { ExportMenu } from "../export/ExportMenu";
import { Footer } from "../footer/Footer";
import { Header } from "../header/Header";
import { useHelp } from "../help/context";
import { HelpLayer } from "../help/HelpLayer";
import { Offer } from "../help/tour/Offer";
import { History } from "../history/History";
import { type ColourMap, PALETTES } from "../map/look/colour";
import { MapPanel } from "../map/MapPanel";
import { PerPrompt } from "../per_prompt/PerPrompt";
import { Prompts } from "../prompts/Prompts";
import { Start } from "../ranking/Start";
import { Tokens } from "../tokens/Tokens";
import { following, useFollowed } from "./follow";
import { isForTheHost, onKey } from "./keys";
import { Main } from "./Main";

// Each panel follows the store by itself: what does not concern it does not draw it again.
const HeaderRegion = following(Header);
const BannerRegion = following(Banner);
const UnkeptRegion = following(Unkept);
const PromptsRegion = following(Prompts);
const MapRegion = following(MapPanel);
const DetailRegion = following(Detail);
const StartRegion = following(Start);
const EditsRegion = following(Edits);
const HistoryRegion = following(History);
const TokensRegion = following(Tokens);
const PerPromptRegion = following(PerPrompt);
const CompareRegion = following(CompareStates);
const FooterRegion = following(Footer);
const ExportRegion = following(ExportMenu);
const HelpRegion = following(HelpLayer);
const OfferRegion = following(Offer);

const isConnected = (state: BoardState): boolean => state.connected;
const isAnySelected = (state: BoardState): boolean => state.selected !== null;
const engineOf = (state: BoardState): string => state.setup?.engine.tier ?? "";
const revisionOf = (state: BoardState): number | string => state.snapshot?.revision ?? "";
const coloursOf = (state: BoardState): ColourMap => shownView(state)?.colours ?? "orange-blue";
const layersOf = (state: BoardState): number => state.setup?.n_layers ?? 0;

export function Board({ store }: { store: Store }): JSX.Element {
  const act = useMemo(() => actionsOf(store), [store]);
  const theme = useTheme();
  const colours = useFollowed(store, coloursOf);
  const palette = PALETTES[colours][theme];
  const help = useHelp();
  const connected = useFollowed(store, isConnected);
  const selected = useFollowed(store, isAnySelected);
  const layers = useFollowed(store, layersOf);
  const root = {
    "data-state": useFollowed(store, phase),
    "data-engine": useFollowed(store, engineOf),
    "data-revision": useFollowed(store, revisionOf),
  };
  const copies = useCopying(async (what) => {
    if (what !== "state") return act.exported(what === "csv" ? "csv" : "python");
    const answer = await act.code();
    return answer.kind === "code" ? answer.text : null;
  });
  // The same object while nothing of it changes; the rest of it only asks the store.
  const copying = useMemo(() => copies, [copies.copied, copies.byHand, store]);
  const menu = useMemo(
    () => <ExportRegion store={store} act={act} copying={copying} />,
    [store, act, copying],
  );
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys of the controls inside bubble up to here.
    <div
      class={`cb-root cb-${theme} cb-colours-${colours}`}
      data-cb="board"
      {...root}
      data-lm-suppress-shortcuts="true"
      onKeyDown={(event) => {
        const ours = onKey(event, store.state(), act, {
          help: help.show,
          copyStep: () => copying.copy("step"),
        });
        if (ours) event.preventDefault();
        if (ours || !isForTheHost(event)) event.stopPropagation();
      }}
    >
      <div class={`cb-board${connected ? "" : " cb-frozen"}`}>
        <OfferRegion store={store} />
        <HeaderRegion store={store} act={act} menu={menu} />
        <BannerRegion store={store} act={act} copying={copying} />
        <UnkeptRegion store={store} />
        {copying.byHand === null ? null : (
          <CodeDialog {...copying.byHand} onClose={copying.close} />
        )}
        <PromptsRegion store={store} act={act} />
        <Main
          layers={layers}
          map={<MapRegion store={store} act={act} palette={palette} copying={copying} />}
          detail={
            selected ? (
              <DetailRegion store={store} act={act} palette={palette} />
            ) : (
              <StartRegion store={store} act={act} />
            )
          }
          side={
            <>
              <EditsRegion store={store} act={act} copying={copying} />
              <HistoryRegion store={store} act={act} />
              <TokensRegion store={store} />
            </>
          }
        />
        <CompareRegion store={store} act={act} palette={palette} />
        <PerPromptRegion store={store} act={act} />
        <FooterRegion store={store} act={act} />
        <HelpRegion store={store} source={store} act={act} />
      </div>
    </div>
  );
}
