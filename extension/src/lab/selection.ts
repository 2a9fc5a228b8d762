import type { NotebookPanel } from "@jupyterlab/notebook";

/** The text that is selected in the active cell, without the quotes around it; empty if none is. */
export function selectedText(notebook: NotebookPanel): string {
  const editor = notebook.content.activeCell?.editor;
  if (!editor) return "";
  const { start, end } = editor.getSelection();
  const [from, to] = [editor.getOffsetAt(start), editor.getOffsetAt(end)].sort((a, b) => a - b) as [
    number,
    number,
  ];
  const text = editor.model.sharedModel.getSource().slice(from, to);
  return /^(["'])(.*)\1$/s.exec(text)?.[2] ?? text;
}
