// What the panel beside the notebook says of its line, and the button that goes with it.
import { commands, type NotebookDocument } from "vscode";
import type { LineState } from "../bridge/line";
import { advice, type Fix } from "../jupyter/missing";
import { runCells } from "../notebook/cells";
import { reload } from "../notebook/reload";

export interface Words {
  text: string;
  fix: Fix | null;
  usable: boolean;
}

const OPEN: Fix = {
  label: "Make a Board",
  run: () => commands.executeCommand("circuitboard.open"),
};

function runAll(notebook: NotebookDocument | undefined): Fix | null {
  if (notebook === undefined) return null;
  return {
    label: "Run All Cells",
    run: () => runCells(notebook, 0, notebook.cellCount),
  };
}

export function wordsOf(
  state: LineState,
  notebook: NotebookDocument | undefined,
  turn: () => void,
): Words {
  switch (state.kind) {
    case "open":
      if (state.newest) return { text: "", fix: null, usable: true };
      return {
        text: "This notebook has a newer board.",
        fix: { label: "Show It", run: async () => turn() },
        usable: true,
      };
    case "busy":
      return {
        text: "The kernel is running a cell. Clicks are answered when it is done.",
        fix: null,
        usable: true,
      };
    case "lost":
      return {
        text:
          state.status === "dead" || state.status === "terminating"
            ? "The kernel is gone, and the board with it. Start it again and run the board's cell."
            : "The kernel is restarting. Its boards are gone; run the board's cell again.",
        fix: runAll(notebook),
        usable: false,
      };
    case "no_board":
      if (state.saved !== "" && notebook !== undefined) {
        const { saved } = state;
        return {
          text: "The kernel was restarted and has no board any more. The last state of this one is kept.",
          fix: { label: "Load Its Last State", run: () => reload(notebook, saved) },
          usable: false,
        };
      }
      return state.restarted
        ? {
            text: "The kernel was restarted and has no board any more: run the board's cell again.",
            fix: runAll(notebook),
            usable: false,
          }
        : {
            text: "This notebook's kernel has no board yet.",
            fix: OPEN,
            usable: false,
          };
    case "missing":
      return { ...advice(state.missing, notebook), usable: false };
  }
}
