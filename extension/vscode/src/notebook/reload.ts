// The board that was lost with its kernel, from the state that the package keeps of it: its code in a new cell.
import { type NotebookDocument, window } from "vscode";
import { BRIDGE, type Told } from "../../../src/protocol/generated";
import { expression } from "../bridge/expression";
import { kernelOf, reasonOf } from "../jupyter/kernel";
import { tell } from "../jupyter/missing";
import { runFor } from "../jupyter/run";
import { runInNewCell } from "./cells";

/** Load the board kept in the file `saved` again, or say why that cannot be done and what to run first. */
export async function reload(notebook: NotebookDocument, saved: string): Promise<void> {
  const kernel = await kernelOf(notebook.uri);
  if (!kernel.ok) return tell(kernel.missing, notebook);
  let reply: Told;
  try {
    reply = (await runFor(kernel.value, expression({ what: "reload", saved }), BRIDGE)) as Told;
  } catch (error) {
    return tell(reasonOf(error), notebook);
  }
  const { possible = false, words = "", code = "" } = reply;
  if (possible) await runInNewCell(notebook, code);
  else void window.showWarningMessage(code === "" ? words : `${words}\n${code}`);
}
