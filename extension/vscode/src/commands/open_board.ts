// "Open board for this notebook": the kernel's board in a cell of its own, or a first board.
import { ready } from "../jupyter/kernel";
import { tell } from "../jupyter/missing";
import { runInNewCell } from "../notebook/cells";
import { firstBoard, SHOW_CURRENT } from "../notebook/code";
import { settings } from "../settings";
import { afterBoard } from "./made";
import { notebookFor } from "./notebook";

export async function openBoard(given?: unknown): Promise<void> {
  const notebook = await notebookFor(given);
  if (notebook === null) return;
  const outcome = await ready(notebook.uri);
  // Without a kernel the cell starts one: VS Code asks which.
  if (!outcome.ok && outcome.missing.kind !== "kernel") return tell(outcome.missing, notebook);
  if (outcome.ok && outcome.value.board) {
    await runInNewCell(notebook, SHOW_CURRENT);
    return;
  }
  const chosen = settings();
  const at = await runInNewCell(notebook, firstBoard(chosen));
  if (at !== null) await afterBoard(notebook, at, chosen);
}
