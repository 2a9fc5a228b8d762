// Inserts cells of code into a notebook and runs them, as the user would.
import {
  commands,
  NotebookCellData,
  NotebookCellKind,
  type NotebookDocument,
  NotebookEdit,
  NotebookRange,
  WorkspaceEdit,
  window,
  workspace,
} from "vscode";

/** Below the cell that is selected in the editor in front, else at the end. */
function place(notebook: NotebookDocument): number {
  const editor = window.activeNotebookEditor;
  if (editor === undefined || editor.notebook !== notebook) return notebook.cellCount;
  return Math.min(editor.selections[0]?.end ?? notebook.cellCount, notebook.cellCount);
}

/** Run cells `start` to before `end`. VS Code asks for a kernel if there is none. */
export async function runCells(
  notebook: NotebookDocument,
  start: number,
  end: number,
): Promise<void> {
  const ranges = [{ start, end }];
  await commands.executeCommand("notebook.cell.execute", { ranges, document: notebook.uri });
}

/** Returns the index of the new cell, or null if VS Code refused the edit. */
export async function runInNewCell(
  notebook: NotebookDocument,
  code: string,
): Promise<number | null> {
  const at = place(notebook);
  const edit = new WorkspaceEdit();
  const cell = new NotebookCellData(NotebookCellKind.Code, code, "python");
  edit.set(notebook.uri, [NotebookEdit.insertCells(at, [cell])]);
  if (!(await workspace.applyEdit(edit))) {
    void window.showErrorMessage("The notebook took no new cell; it may be read-only.");
    return null;
  }
  const editor = window.activeNotebookEditor;
  if (editor?.notebook === notebook) editor.revealRange(new NotebookRange(at, at + 1));
  await runCells(notebook, at, at + 1);
  return at;
}
