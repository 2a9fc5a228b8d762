// The menu of all that leaves the panel, behind three dots.
import type { JSX, TargetedKeyboardEvent } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { type BoardState, currentMap } from "../../store/state";
import type { Actions } from "../actions";
import type { Copyable, Copying } from "../code/copying";
import { useHelp } from "../help/context";
import { type Exporting, useExporting } from "./exporting";
import { defaultName, SaveDialog } from "./SaveDialog";
import { TextDialog } from "./TextDialog";

interface Item {
  id: string;
  text: string;
  key?: string;
  /** Why it cannot be chosen now; null when it can. */
  refused: string | null;
  run(): void;
}

interface ExportMenuProps {
  state: BoardState;
  act: Actions;
  copying: Copying;
}

const COPIED: Record<Copyable, string> = {
  step: "The last step was copied as Python.",
  state: "The whole state was copied as Python.",
  csv: "The map was copied as CSV.",
};

const NO_KERNEL = "The kernel does not answer.";

function itemsOf(
  state: BoardState,
  exporting: Exporting,
  open: { save(): void; keys(): void; copy(what: Copyable): void },
): Item[][] {
  const offline = state.connected ? null : NO_KERNEL;
  const hasMap = currentMap(state)?.known.some((cell) => cell !== 0) === true;
  const noMap = offline ?? (hasMap ? null : "No cell of the map is known yet.");
  const steps = (state.snapshot?.history.nodes.length ?? 0) > 1;
  const noStep = offline ?? (steps ? null : "Nothing has been done yet.");
  const code = state.connected || state.code !== null ? null : NO_KERNEL;
  const file = (id: "svg" | "png" | "html", text: string, refused: string | null): Item => ({
    id,
    text,
    refused,
    run: () => exporting.run(id),
  });
  return [
    [
      {
        id: "step",
        text: "Copy last step as Python",
        key: "c",
        refused: noStep,
        run: () => open.copy("step"),
      },
      {
        id: "state",
        text: "Copy whole state as Python",
        refused: code,
        run: () => open.copy("state"),
      },
    ],
    [
      file("svg", "Export map as SVG", noMap),
      file("png", "Export map as PNG", noMap),
      { id: "csv", text: "Copy map as CSV", refused: noMap, run: () => open.copy("csv") },
      file("html", "Export board as one HTML page", offline),
    ],
    [
      { id: "save", text: "Save board\u2026", refused: offline, run: open.save },
      { id: "keys", text: "Keyboard map", key: "?", refused: null, run: open.keys },
    ],
  ];
}

function Menu({
  groups,
  onClose,
}: {
  groups: Item[][];
  onClose(back: boolean): void;
}): JSX.Element {
  const ref = useRef<HTMLDivElement>(null);
  const items = groups.flat();
  const [at, setAt] = useState(0);
  useLayoutEffect(() => {
    ref.current?.querySelectorAll<HTMLElement>('[role="menuitem"]')[at]?.focus();
  }, [at]);
  useEffect(() => {
    const menu = ref.current;
    const page = menu?.ownerDocument;
    const leave = (event: Event): void => {
      // The whole path: the target of an event from within a shadow tree is its host.
      const within = menu?.parentElement;
      if (within !== null && within !== undefined && !event.composedPath().includes(within))
        onClose(false);
    };
    page?.addEventListener("pointerdown", leave);
    return () => page?.removeEventListener("pointerdown", leave);
  }, [onClose]);
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLDivElement>): void => {
    const moves: Record<string, number> = {
      ArrowDown: (at + 1) % items.length,
      ArrowUp: (at - 1 + items.length) % items.length,
      Home: 0,
      End: items.length - 1,
    };
    const next = moves[event.key];
    if (event.key === "Tab") onClose(false);
    else {
      // Keys in a menu are its own: neither the panel nor the notebook acts on them.
      event.stopPropagation();
      if (event.key === "Escape") onClose(true);
      else if (next !== undefined) setAt(next);
      else if (event.key !== "Enter" && event.key !== " ") return;
      if (event.key !== "Enter" && event.key !== " ") event.preventDefault();
    }
  };
  return (
    <div
      ref={ref}
      class="cb-menu cb-export-menu"
      role="menu"
      aria-label="Copy, export, save"
      data-cb="export-menu"
      onKeyDown={onKeyDown}
    >
      {groups.map((group, number) => (
        // biome-ignore lint/a11y/useSemanticElements: a fieldset is no part of a menu.
        <div key={number} role="group" class="cb-menu-group">
          {group.map((item) => (
            <button
              type="button"
              key={item.id}
              role="menuitem"
              class="cb-menu-item"
              data-cb="export-item"
              data-value={item.id}
              tabIndex={items[at] === item ? 0 : -1}
              aria-disabled={item.refused === null ? undefined : true}
              aria-description={item.refused ?? undefined}
              title={item.refused ?? undefined}
              aria-keyshortcuts={item.key}
              onClick={() => {
                if (item.refused !== null) return;
                onClose(true);
                item.run();
              }}
            >
              <span>{item.text}</span>
              {item.key === undefined ? null : (
                <span class="cb-quiet-text" aria-hidden="true">
                  {item.key}
                </span>
              )}
            </button>
          ))}
        </div>
      ))}
    </div>
  );
}

function Said({ exporting }: { exporting: Exporting }): JSX.Element {
  const { notice } = exporting;
  return (
    <div class="cb-export-said" role="status" data-cb="export-said">
      {notice === null ? null : (
        <p>
          {notice.text}
          {notice.file === null ? null : (
            <>
              {" "}
              <button
                type="button"
                class="cb-link"
                data-cb="export-text"
                onClick={exporting.showText}
              >
                Nothing arrived? Show the text
              </button>
            </>
          )}
        </p>
      )}
    </div>
  );
}

export function ExportMenu({ state, act, copying }: ExportMenuProps): JSX.Element {
  const [open, setOpen] = useState(false);
  const [saving, setSaving] = useState(false);
  const [wanted, setWanted] = useState<Copyable | null>(null);
  const button = useRef<HTMLButtonElement>(null);
  const exporting = useExporting(act);
  const { show } = useHelp();
  const { copied } = copying;
  useEffect(() => {
    if (copied === null || copied !== wanted) return;
    setWanted(null);
    exporting.say(COPIED[copied]);
  }, [copied, wanted]);
  const groups = itemsOf(state, exporting, {
    save: () => setSaving(true),
    keys: () => show("keys"),
    copy: (what) => {
      setWanted(what);
      copying.copy(what);
    },
  });
  const { setup, snapshot } = state;
  return (
    <span class="cb-export">
      <button
        ref={button}
        type="button"
        class="cb-btn cb-btn-icon"
        data-cb="export-button"
        aria-label="Copy, export, save"
        title="Copy, export, save"
        aria-haspopup="menu"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        onKeyDown={(event) => {
          if (event.key !== "ArrowDown") return;
          event.preventDefault();
          event.stopPropagation();
          setOpen(true);
        }}
      >
        <svg class="cb-dots" width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
          <circle cx="3" cy="8" r="1.6" />
          <circle cx="8" cy="8" r="1.6" />
          <circle cx="13" cy="8" r="1.6" />
        </svg>
      </button>
      {open ? (
        <Menu
          groups={groups}
          onClose={(back) => {
            setOpen(false);
            if (back) button.current?.focus();
          }}
        />
      ) : null}
      <Said exporting={exporting} />
      {saving && setup !== null && snapshot !== null ? (
        <SaveDialog
          name={defaultName(setup, snapshot)}
          save={act.save}
          onSaved={(path) => {
            setSaving(false);
            exporting.say(`Saved as ${path}`);
          }}
          onDownload={() => {
            setSaving(false);
            exporting.run("board");
          }}
          onClose={() => setSaving(false)}
        />
      ) : null}
      {exporting.byHand === null ? null : (
        <TextDialog file={exporting.byHand} onClose={exporting.close} />
      )}
    </span>
  );
}
