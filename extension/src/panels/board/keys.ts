// Keys that work anywhere in the panel. Grids and the token strip keep their own.
import { type BoardState, type Mode, shownView } from "../../store/state";
import type { Actions } from "../actions";
import type { HelpTopic } from "../help/context";

/** What keys reach beside the board itself. */
export interface Reach {
  help(topic: HelpTopic): void;
  copyStep(): void;
}

const MODES = new Map<string, Mode>([
  ["1", "zero"],
  ["2", "mean"],
  ["3", "resample"],
  ["4", "patch"],
]);

function history(event: KeyboardEvent, act: Actions): boolean {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return false;
  const key = event.key.toLowerCase();
  if (key === "z") (event.shiftKey ? act.redo : act.undo)();
  else if (key === "y") act.redo();
  else return false;
  return true;
}

function choose(event: KeyboardEvent, state: BoardState, act: Actions): boolean {
  const { setup, snapshot } = state;
  const view = shownView(state);
  if (setup === null || snapshot === null || view === null) return false;
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  const { key } = event;
  const mode = MODES.get(key);
  if (mode !== undefined) {
    if (setup.modes.some((info) => info.mode === mode && info.refused === null))
      act.setView({ mode });
    return true;
  }
  if (key === "b") {
    if (setup.has_corrupted) act.setBase(snapshot.base === "clean" ? "corrupted" : "clean");
    return true;
  }
  if (key === "l") {
    act.setView({ live: !view.live });
    return true;
  }
  if (key === "[" && view.prompt > 0) act.setView({ prompt: view.prompt - 1 });
  else if (key === "]" && view.prompt < setup.prompts.length - 1)
    act.setView({ prompt: view.prompt + 1 });
  else if (key === "Escape" && view.positions !== null) act.setView({ positions: null });
  else return false;
  return true;
}

function open(event: KeyboardEvent, { setup, snapshot }: BoardState, reach: Reach): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  switch (event.key) {
    case "?":
      reach.help("keys");
      return true;
    case "/":
      if (setup !== null) reach.help("search");
      return true;
    case "c":
      if (snapshot !== null && snapshot.history.nodes.length > 1) reach.copyStep();
      return true;
    default:
      return false;
  }
}

/** Whether what is typed goes into a field or a list of choices, whose keys are its own. */
function isTyping({ target }: KeyboardEvent): boolean {
  return (
    target instanceof HTMLInputElement ||
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement
  );
}

/** Carry out a key; true when it was one of the panel's. */
export function onKey(
  event: KeyboardEvent,
  state: BoardState,
  act: Actions,
  reach: Reach,
): boolean {
  if (isTyping(event)) return false;
  return history(event, act) || open(event, state, reach) || choose(event, state, act);
}

/**
 * Whether a key that is not the panel's may reach the notebook. Single keys may not: in JupyterLab's
 * command mode "a" would insert a cell, and its shortcuts match the focused button itself, beneath
 * the attribute on the root that suppresses them.
 */
export function isForTheHost(event: KeyboardEvent): boolean {
  return event.ctrlKey || event.metaKey || event.altKey || /^(?:Tab|F\d+)$/.test(event.key);
}
