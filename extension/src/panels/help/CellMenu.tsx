// What can be done with a cell beside clicking it: by right-click, or by the menu key.
import type { JSX, TargetedKeyboardEvent } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { EditRow } from "../../protocol/generated";
import { type BoardState, type Mode, samePositions, shownView } from "../../store/state";
import type { Actions } from "../actions";
import { addressOf, type CellSite, pythonOf } from "./cell_site";
import { focusedIn } from "./Dialog";
import { type Box, inSight, placed } from "./place";

const DOES: Record<Mode, string> = {
  zero: "Zero",
  mean: "Mean-ablate",
  resample: "Resample",
  patch: "Patch",
};

interface Item {
  text: string;
  key?: string;
  refused?: string | null;
  run(): void;
}

interface CellMenuProps {
  cell: CellSite;
  anchor: Box;
  state: BoardState;
  act: Actions;
  onCopy(text: string): void;
  onClose(): void;
}

function editOf(edits: readonly EditRow[], site: string, positions: number[] | null): number {
  return edits.findIndex(
    (edit) =>
      edit.site.split(" @ ")[0] === site && samePositions(edit.positions ?? null, positions),
  );
}

function itemsOf(props: CellMenuProps): Item[] {
  const { cell, state, act, onCopy } = props;
  const { setup, snapshot } = state;
  const view = shownView(state);
  if (setup === null || snapshot === null || view === null) return [];
  const positions =
    cell.position !== null ? [cell.position] : view.positions === null ? null : [...view.positions];
  const edited = editOf(snapshot.edits, cell.site, positions);
  const edit = snapshot.edits[edited];
  const keys: readonly Mode[] = ["zero", "mean", "resample", "patch"];
  const modes: Item[] = setup.modes.map(({ mode, refused }) => ({
    text: `${DOES[mode]} ${cell.site}`,
    key: String(keys.indexOf(mode) + 1),
    refused: edit === undefined ? refused : "It is edited: remove that edit first.",
    run: () => act.apply([{ site: addressOf(cell.site, positions), how: mode }]),
  }));
  const how = edit?.how ?? view.mode;
  return [
    ...(edit === undefined
      ? []
      : [
          { text: `Remove ${edit.how} ${cell.site}`, key: "Delete", run: () => act.remove(edited) },
        ]),
    ...modes,
    {
      text: "Look at it",
      key: "Shift-Enter",
      run: () => act.select({ site: cell.site, position: cell.position }),
    },
    {
      text: "Copy as Python",
      run: () => onCopy(pythonOf(cell.site, positions, how)),
    },
  ];
}

export function CellMenu(props: CellMenuProps): JSX.Element {
  const { cell, anchor, onClose } = props;
  const ref = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState(0);
  const items = itemsOf(props);
  useLayoutEffect(() => {
    const menu = ref.current;
    const board = menu?.closest<HTMLElement>(".cb-board");
    if (menu === null || board === null || board === undefined) return undefined;
    const before = focusedIn(menu);
    const frame = board.getBoundingClientRect();
    const size = { width: menu.offsetWidth, height: menu.offsetHeight };
    const { left, top } = placed(anchor, size, inSight(board));
    menu.style.left = `${left - frame.left - board.clientLeft}px`;
    menu.style.top = `${top - frame.top - board.clientTop}px`;
    return () => {
      if (before instanceof HTMLElement && menu.contains(focusedIn(menu))) before.focus();
    };
  }, []);
  useLayoutEffect(() => {
    ref.current?.querySelectorAll<HTMLElement>('[role="menuitem"]')[at]?.focus();
  }, [at]);
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLElement>): void => {
    event.stopPropagation();
    const to = {
      ArrowDown: (at + 1) % items.length,
      ArrowUp: (at - 1 + items.length) % items.length,
      Home: 0,
      End: items.length - 1,
    }[event.key];
    if (to !== undefined) setAt(to);
    else if (event.key === "Escape" || event.key === "Tab") onClose();
    else return;
    event.preventDefault();
  };
  return (
    <div
      ref={ref}
      class="cb-menu"
      role="menu"
      aria-label={`What to do with ${cell.site}`}
      data-cb="cell-menu"
      tabIndex={-1}
      onKeyDown={onKeyDown}
      onFocusOut={(event) => {
        const { relatedTarget, currentTarget } = event;
        if (!(relatedTarget instanceof Node && currentTarget.contains(relatedTarget))) onClose();
      }}
    >
      {items.map((item, i) => {
        const refused = item.refused ?? null;
        return (
          <button
            key={item.text}
            type="button"
            role="menuitem"
            class="cb-menu-item"
            tabIndex={i === at ? 0 : -1}
            aria-disabled={refused !== null}
            aria-description={refused ?? undefined}
            title={refused ?? undefined}
            onClick={() => {
              if (refused !== null) return;
              onClose();
              item.run();
            }}
          >
            <span>{item.text}</span>
            <span class="cb-quiet-text" aria-hidden="true">
              {item.key}
            </span>
          </button>
        );
      })}
    </div>
  );
}
