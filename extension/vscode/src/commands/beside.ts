// "Open board beside": the same panel, in an editor of its own.
import type { ExtensionContext } from "vscode";
import { showBeside } from "../beside/panel";
import { ready } from "../jupyter/kernel";
import { tell } from "../jupyter/missing";
import { notebookFor } from "./notebook";

export async function openBeside(context: ExtensionContext, given?: unknown): Promise<void> {
  const notebook = await notebookFor(given);
  if (notebook === null) return;
  const outcome = await ready(notebook.uri);
  if (outcome.ok) showBeside(context, notebook.uri);
  else await tell(outcome.missing, notebook);
}
