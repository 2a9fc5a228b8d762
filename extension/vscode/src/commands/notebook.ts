// The notebook that a command is about.
import { extensions, type NotebookDocument, Uri, window, workspace } from "vscode";
import { JUPYTER } from "../jupyter/api";
import { tell } from "../jupyter/missing";

export const NOTEBOOK_TYPE = "jupyter-notebook";

/** What a button in a notebook's toolbar hands to its command. */
interface FromToolbar {
  notebookEditor?: { notebookUri?: unknown };
}

/** The notebook whose toolbar was used, else the one in front; says what is missing if there is none. */
export async function notebookFor(given?: unknown): Promise<NotebookDocument | null> {
  if (extensions.getExtension(JUPYTER) === undefined) {
    await tell({ kind: "jupyter" });
    return null;
  }
  const uri = (given as FromToolbar | undefined)?.notebookEditor?.notebookUri;
  const named =
    uri instanceof Uri
      ? workspace.notebookDocuments.find((known) => known.uri.toString() === uri.toString())
      : undefined;
  const notebook = named ?? window.activeNotebookEditor?.notebook;
  if (notebook?.notebookType === NOTEBOOK_TYPE) return notebook;
  await tell({ kind: "notebook" });
  return null;
}
