// "Open example notebook": a copy without a file, so that the example itself stays as it is.
import {
  type ExtensionContext,
  extensions,
  NotebookCellData,
  NotebookCellKind,
  NotebookData,
  Uri,
  window,
  workspace,
} from "vscode";
import { JUPYTER } from "../jupyter/api";
import { tell } from "../jupyter/missing";
import { NOTEBOOK_TYPE } from "./notebook";

interface Stored {
  cells: { cell_type: string; source: string | string[] }[];
  metadata: Record<string, unknown>;
}

/** The cells of a notebook file as VS Code takes them, without outputs. */
export function notebookData({ cells, metadata }: Stored): NotebookData {
  const data = new NotebookData(
    cells.map(({ cell_type, source }) => {
      const text = typeof source === "string" ? source : source.join("");
      return cell_type === "code"
        ? new NotebookCellData(NotebookCellKind.Code, text, "python")
        : new NotebookCellData(NotebookCellKind.Markup, text, "markdown");
    }),
  );
  data.metadata = { metadata: { language_info: metadata.language_info ?? { name: "python" } } };
  return data;
}

export async function openExample(context: ExtensionContext): Promise<void> {
  if (extensions.getExtension(JUPYTER) === undefined) return tell({ kind: "jupyter" });
  const file = Uri.joinPath(context.extensionUri, "media", "example.ipynb");
  const stored = JSON.parse(new TextDecoder().decode(await workspace.fs.readFile(file)));
  const notebook = await workspace.openNotebookDocument(NOTEBOOK_TYPE, notebookData(stored));
  await window.showNotebookDocument(notebook);
}
