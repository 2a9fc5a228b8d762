// What a person can do, in the words of the protocol. Each action is one Python call's equal.
import type { Settlement } from "../protocol/connection";
import type { EditSpec, Export, Exported, View } from "../protocol/generated";
import { compared } from "../store/comparison";
import type { Kept, Look } from "../store/look";
import type { Selection, Wants } from "../store/selection";
import type { Base } from "../store/state";
import { question, shownView } from "../store/state";
import type { Store } from "../store/store";
import type { TraceQuestion } from "../store/tracing";
import { askComparison } from "./compare/asking";
import { dragged } from "./edits/dragged";
import { sentLook } from "./map/look/sent_look";

export interface Actions {
  click(site: string, positions: number[] | null): void;
  /** Add edits as they are written, whatever a click does; what is left out has its default. */
  apply(edits: readonly (Pick<EditSpec, "site" | "how"> & Partial<EditSpec>)[]): void;
  /** Of one edit, or of several in one step. */
  remove(index: number | number[]): void;
  toggle(index: number | number[]): void;
  setStrength(index: number, strength: number): void;
  /** One strength of a drag; true once it is drawn, false if the drag cannot go on. */
  dragStrength(index: number, strength: number, drag: string): Promise<boolean>;
  group(name: string | null, indices: number[]): void;
  rename(which: number | string, name: string | null): void;
  note(node: number, text: string | null): void;
  /** Put two states side by side; null to stop. */
  compareStates(pair: { left: number; right: number } | null): void;
  /** Ask what is to be shown of the two states, with their maps if `maps`. */
  readComparison(maps: boolean): void;
  move(index: number, to: number): void;
  undo(): void;
  redo(): void;
  restore(node: number): void;
  clear(): void;
  setBase(base: Base): void;
  setView(patch: Partial<View>): void;
  cancelMap(): void;
  resumeMap(): void;
  /** Measure the model as it is now. */
  refresh(): void;
  verify(): void;
  code(): Promise<Settlement>;
  /** Text to copy: the map as CSV, or the last step as Python; null when it could not be had. */
  exported(what: "csv" | "python"): Promise<string | null>;
  /** A file that leaves the panel; null when it could not be had. */
  file(what: "svg" | "html" | "board"): Promise<Exported | null>;
  /** Have the kernel write the board to a file on its side. */
  save(path: string, overwrite: boolean): Promise<Settlement>;
  /** Have the detail region follow a component; null for none. */
  select(selection: Selection | null): void;
  /** Ask what the selected component does now, and what else is wanted of it. */
  detail(): void;
  /** Read more of the selected component, or less. */
  want(patch: Partial<Wants>): void;
  /** Ask which earlier components move it, or who reads from a token; null closes the list. */
  trace(question: TraceQuestion | null): void;
  /** Look at the maps in another way; no other view follows. */
  look(patch: Partial<Look>): void;
  /** Compare the live map with one that is kept; null to stop. */
  compare(kept: Kept | null): void;
  dismiss(): void;
  /** Ask once more for what went wrong. */
  again(): void;
}

/** A map leaves the panel as it is seen; all else has no look. */
function exportAsSeen(store: Store, what: Export["what"]): Parameters<Store["request"]>[0] {
  const look = what === "svg" || what === "csv" ? sentLook(store.state()) : null;
  return { kind: "export", what, ...(look === null ? {} : { look }) };
}

export function actionsOf(store: Store): Actions {
  // Edits are named by their place, which holds for one revision only.
  const revision = (): number => store.state().snapshot?.revision ?? -1;
  const send = (body: Parameters<Store["request"]>[0]): void => {
    if (store.state().connected) void store.request(body);
  };
  return {
    click: (site, positions) => send({ kind: "click", site, positions }),
    apply: (edits) => send({ kind: "apply", edits: [...edits] as EditSpec[] }),
    remove: (index) => send({ kind: "remove", index, revision: revision() }),
    toggle: (index) => send({ kind: "toggle", index, revision: revision() }),
    setStrength: (index, strength) =>
      send({ kind: "set_strength", index, revision: revision(), strength }),
    dragStrength: (index, strength, drag) => dragged(store, { index, strength, drag }),
    group: (name, indices) => send({ kind: "group", indices, revision: revision(), name }),
    rename: (which, name) => send({ kind: "rename", which, revision: revision(), name }),
    note: (node, text) => send({ kind: "note", node, text }),
    compareStates: (pair) => {
      const before = store.state().comparison;
      store.compareStates(pair === null ? null : compared(before, pair.left, pair.right));
    },
    readComparison: (maps) => askComparison(store, maps),
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
    refresh: () => send({ kind: "refresh" }),
    verify: () => send({ kind: "verify" }),
    code: () => {
      const { connected, code } = store.state();
      // Without a kernel, what was fetched while there was one.
      return !connected && code !== null
        ? Promise.resolve({ kind: "code", id: "", text: code.text })
        : store.request({ kind: "copy_code" });
    },
    exported: async (what) => {
      const answer = await store.request(exportAsSeen(store, what));
      return answer.kind === "exported" ? answer.text : null;
    },
    file: async (what) => {
      const answer = await store.request(exportAsSeen(store, what));
      return answer.kind === "exported" ? answer : null;
    },
    save: (path, overwrite) => store.request({ kind: "save", path, overwrite }),
    select: (selection) => store.select(selection),
    detail: () => {
      const state = store.state();
      const now = question(state);
      if (now === null) return;
      const { site, position, prompt, row, source, circuit, byPosition } = now;
      send({
        kind: "detail",
        site,
        position,
        prompt,
        ...(row === null ? {} : { row }),
        ...(source === null ? {} : { source }),
        ...(circuit ? { circuit } : {}),
        ...(byPosition ? { by_position: true } : {}),
      });
    },
    want: (patch) => store.want(patch),
    trace: (request) => {
      if (request === null) store.untrace();
      else send(request);
    },
    look: (patch) => store.look(patch),
    compare: (kept) => store.compare(kept),
    dismiss: () => store.dismiss(),
    again: () => {
      const { trouble } = store.state();
      if (trouble === null || trouble.again === null) return;
      store.dismiss();
      send(trouble.again);
    },
  };
}
