// What a person can do, in the words of the protocol. Each action is one Python call's equal.
import type { Settlement } from "../protocol/connection";
import type { View } from "../protocol/generated";
import type { Base, Selection } from "../store/state";
import { shownView } from "../store/state";
import type { Store } from "../store/store";

export interface Actions {
  click(site: string, positions: number[] | null): void;
  remove(index: number): void;
  toggle(index: number): void;
  setStrength(index: number, strength: number): void;
  move(index: number, to: number): void;
  undo(): void;
  redo(): void;
  restore(node: number): void;
  clear(): void;
  setBase(base: Base): void;
  setView(patch: Partial<View>): void;
  cancelMap(): void;
  resumeMap(): void;
  verify(): void;
  code(): Promise<Settlement>;
  /** Text to copy: the map as CSV, or the last step as Python; null when it could not be had. */
  exported(what: "csv" | "python"): Promise<string | null>;
  /** Have the detail region follow a component; null for none. */
  select(selection: Selection | null): void;
  /** Ask what the selected component does now. */
  detail(byPosition?: boolean): void;
  dismiss(): void;
}

export function actionsOf(store: Store): Actions {
  // Edits are named by their place, which holds for one revision only.
  const revision = (): number => store.state().snapshot?.revision ?? -1;
  const send = (body: Parameters<Store["request"]>[0]): void => {
    if (store.state().connected) void store.request(body);
  };
  return {
    click: (site, positions) => send({ kind: "click", site, positions }),
    remove: (index) => send({ kind: "remove", index, revision: revision() }),
    toggle: (index) => send({ kind: "toggle", index, revision: revision() }),
    setStrength: (index, strength) =>
      send({ kind: "set_strength", index, revision: revision(), strength }),
    move: (index, to) => send({ kind: "move", index, to, revision: revision() }),
    undo: () => {
      if (store.state().snapshot?.can_undo === true) send({ kind: "undo" });
    },
    redo: () => {
      if (store.state().snapshot?.can_redo === true) send({ kind: "redo" });
    },
    restore: (node) => {
      if (store.state().snapshot?.history.current !== node) send({ kind: "restore", node });
    },
    clear: () => send({ kind: "clear" }),
    setBase: (base) => {
      if (store.state().snapshot?.base !== base) send({ kind: "set_base", base });
    },
    setView: (patch) => {
      if (shownView(store.state()) !== null) send({ kind: "set_view", ...patch });
    },
    cancelMap: () => send({ kind: "cancel_map" }),
    resumeMap: () => send({ kind: "resume_map" }),
    verify: () => send({ kind: "verify" }),
    code: () => store.request({ kind: "copy_code" }),
    exported: async (what) => {
      const answer = await store.request({ kind: "export", what });
      return answer.kind === "exported" ? answer.text : null;
    },
    select: (selection) => store.select(selection),
    detail: (byPosition = false) => {
      const state = store.state();
      const view = shownView(state);
      if (state.selected === null || view === null) return;
      send({
        kind: "detail",
        ...state.selected,
        prompt: view.prompt,
        ...(byPosition ? { by_position: true } : {}),
      });
    },
    dismiss: () => store.dismiss(),
  };
}
