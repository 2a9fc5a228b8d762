// "New board from selection": the selected text is a prompt, or the name of a variable that holds prompts.
import { window } from "vscode";
import { ready } from "../jupyter/kernel";
import { tell } from "../jupyter/missing";
import { runInNewCell } from "../notebook/cells";
import { boardOfPrompts, boardOfVariable, isLiteral, isName, type Prompts } from "../notebook/code";
import { type Settings, settings } from "../settings";
import { afterBoard } from "./made";
import { notebookFor } from "./notebook";

function selected(): string {
  const editor = window.activeTextEditor;
  return editor === undefined ? "" : editor.document.getText(editor.selection).trim();
}

/** The rest of what a pair of prompts needs, asked for one by one; null when the user leaves. */
async function ask(clean: string, { metric }: Settings): Promise<Prompts | null> {
  const plain = isLiteral(clean) ? clean.slice(1, -1) : clean;
  const corrupted = await window.showInputBox({
    title: "New board (1 of 3): the other prompt",
    prompt: "A prompt of the same length that leads elsewhere. Leave it empty for none.",
    value: plain,
  });
  if (corrupted === undefined) return null;
  const answer = await window.showInputBox({
    title: "New board (2 of 3): the right next token",
    prompt: "One token as the model writes it, most often with a space before it.",
    value: " ",
    validateInput: (text) => (text.trim() === "" ? "Name the token that should come next." : null),
  });
  if (answer === undefined) return null;
  const compares = metric === "logit_diff";
  const wrong = await window.showInputBox({
    title: "New board (3 of 3): a wrong next token",
    prompt: compares
      ? "The token that the logit difference compares with."
      : "A token to compare with. Leave it empty for none.",
    value: " ",
    validateInput: (text) =>
      compares && text.trim() === "" ? "A logit difference needs a second token." : null,
  });
  if (wrong === undefined) return null;
  return {
    clean,
    corrupted: corrupted === plain || corrupted === "" ? null : corrupted,
    answer,
    wrong: wrong.trim() === "" ? null : wrong,
  };
}

export async function newFromSelection(given?: unknown): Promise<void> {
  const notebook = await notebookFor(given);
  if (notebook === null) return;
  const text = selected();
  if (text === "") {
    void window.showInformationMessage(
      "Select a prompt, or the name of a variable that holds prompts, in a cell first.",
    );
    return;
  }
  const outcome = await ready(notebook.uri);
  if (!outcome.ok && outcome.missing.kind !== "kernel") return tell(outcome.missing, notebook);
  const chosen = settings();
  let code: string;
  if (isName(text)) {
    code = boardOfVariable(text, chosen);
  } else {
    const prompts = await ask(text, chosen);
    if (prompts === null) return;
    code = boardOfPrompts(prompts, chosen);
  }
  const at = await runInNewCell(notebook, code);
  if (at !== null) await afterBoard(notebook, at, chosen);
}
