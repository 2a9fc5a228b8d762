// Everything that helps and floats: definitions, the dialogs, the tour, the menu of a cell.
import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { copyLater } from "../../host";
import type { BoardState } from "../../store/state";
import type { Store } from "../../store/store";
import type { Actions } from "../actions";
import { CodeDialog } from "../code/CodeDialog";
import { CellMenu } from "./CellMenu";
import { type CellSite, cellSiteOf } from "./cell_site";
import { useHelp } from "./context";
import { goTo } from "./go";
import { HelpDialog } from "./HelpDialog";
import type { Box } from "./place";
import { SearchDialog } from "./SearchDialog";
import { TermTip } from "./TermTip";
import { rememberTour } from "./tour/remembered";
import { Tour } from "./tour/Tour";

/** How long what was done is said (ms). */
const SAID_MS = 5000;

interface HelpLayerProps {
  state: BoardState;
  /** The store itself, for what is done after this was drawn. */
  source: Store;
  act: Actions;
}

interface MenuOf {
  cell: CellSite;
  anchor: Box;
}

export function HelpLayer({ state, source: store, act }: HelpLayerProps): JSX.Element {
  const here = useRef<HTMLDivElement>(null);
  const { open, show } = useHelp();
  const [menu, setMenu] = useState<MenuOf | null>(null);
  const [said, say] = useState("");
  const [byHand, setByHand] = useState<string | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const tell = (text: string): void => {
    clearTimeout(timer.current);
    say(text);
    timer.current = setTimeout(() => say(""), SAID_MS);
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  useLayoutEffect(() => {
    const root = here.current?.closest<HTMLElement>(".cb-root");
    if (root === null || root === undefined) return undefined;
    const onMenu = (event: MouseEvent): void => {
      const cell = cellSiteOf(event.target);
      if (cell === null || !store.state().connected || !(event.target instanceof Element)) return;
      event.preventDefault();
      // The host's own menu listens further out.
      event.stopPropagation();
      setMenu({ cell, anchor: event.target.getBoundingClientRect() });
    };
    root.addEventListener("contextmenu", onMenu);
    return () => root.removeEventListener("contextmenu", onMenu);
  }, [store]);
  const close = (): void => show(null);
  return (
    <div ref={here} class="cb-help">
      <TermTip />
      {open === "keys" || open === "words" ? (
        <HelpDialog first={open} onTour={() => show("tour")} onClose={close} />
      ) : null}
      {open === "search" ? (
        <SearchDialog
          state={state}
          onClose={close}
          onGo={(to) => {
            close();
            const root = here.current?.closest<HTMLElement>(".cb-root");
            if (root === null || root === undefined) return;
            goTo(to, store, act, root, () =>
              tell(`${to.words} is not on the map that is drawn; the detail region shows it.`),
            );
          }}
        />
      ) : null}
      {open === "tour" && state.setup !== null ? (
        <Tour
          state={state}
          onClose={() => {
            rememberTour();
            close();
          }}
        />
      ) : null}
      {menu === null ? null : (
        <CellMenu
          {...menu}
          key={`${menu.cell.site} ${menu.cell.position}`}
          state={state}
          act={act}
          onCopy={(text) =>
            void copyLater(Promise.resolve(text)).then((left) => {
              if (left === null) tell(`Copied: ${text}`);
              else setByHand(left);
            })
          }
          onClose={() => setMenu(null)}
        />
      )}
      {byHand === null ? null : (
        <CodeDialog what="step" text={byHand} onClose={() => setByHand(null)} />
      )}
      <p class={said === "" ? "cb-hidden" : "cb-said"} role="status" data-cb="help-says">
        {said}
      </p>
    </div>
  );
}
