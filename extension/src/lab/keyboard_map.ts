// Has a board on the screen show its own keyboard map: the panel is the one place that knows its keys.
import type { JupyterFrontEnd } from "@jupyterlab/application";
import { Dialog, showDialog } from "@jupyterlab/apputils";

export async function showKeyboardMap(app: JupyterFrontEnd): Promise<void> {
  const boards = [...document.querySelectorAll<HTMLElement>('[data-cb="board"]')];
  const board = boards.find((one) => one.offsetParent !== null);
  if (board === undefined) {
    await showDialog({
      title: "No board is on the screen",
      body: "Show a board, click into it and press ? for its keys.",
      buttons: [Dialog.okButton()],
    });
    app.shell.activateById("circuitboard-side");
    return;
  }
  board.scrollIntoView({ block: "nearest" });
  board.focus();
  board.dispatchEvent(new KeyboardEvent("keydown", { key: "?", bubbles: true }));
}
