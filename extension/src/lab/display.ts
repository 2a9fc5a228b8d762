// Asks a notebook's kernel to display its current board, and keeps the answer from the notebook.
import { type Kernel, KernelMessage } from "@jupyterlab/services";
import type { PartialJSONObject } from "@lumino/coreutils";

export const WIDGET_VIEW = "application/vnd.jupyter.widget-view+json";

/**
 * One expression, so that no name is left in the user's namespace. A kernel that has not imported
 * circuitboard has no board: it is asked nothing more, and the import is not paid for.
 */
const SHOW_CURRENT =
  '"circuitboard" in __import__("sys").modules and ' +
  '__import__("circuitboard.widget", fromlist=["show_current"]).show_current() or None';

/** The stable code at the end of the error that says that no board has been made yet. */
const NO_BOARD = /\[no_board\]\s*$/;

export type Display =
  | { kind: "view"; data: PartialJSONObject; metadata: PartialJSONObject; modelId: string }
  | { kind: "none" }
  | { kind: "failed"; message: string };

/** Resolves once the kernel has answered; it waits behind a running cell, as any execution does. */
export async function requestDisplay(kernel: Kernel.IKernelConnection): Promise<Display> {
  const { language_info: language } = await kernel.info;
  if (language.name !== "python") {
    return {
      kind: "failed",
      message: `Boards live in Python kernels; this one runs ${language.name}.`,
    };
  }
  const future = kernel.requestExecute({
    code: SHOW_CURRENT,
    silent: false,
    store_history: false,
    allow_stdin: false,
    stop_on_error: false,
  });
  let display: Display = { kind: "none" };
  future.onIOPub = (message) => {
    if (KernelMessage.isDisplayDataMsg(message)) {
      const { data, metadata } = message.content;
      const view = data[WIDGET_VIEW] as { model_id?: unknown } | undefined;
      if (typeof view?.model_id === "string") {
        display = {
          kind: "view",
          data: data as PartialJSONObject,
          metadata: metadata as PartialJSONObject,
          modelId: view.model_id,
        };
      }
    } else if (KernelMessage.isErrorMsg(message)) {
      const { ename, evalue } = message.content;
      display = NO_BOARD.test(evalue)
        ? { kind: "none" }
        : { kind: "failed", message: `${ename}: ${evalue}` };
    }
  };
  const reply = await future.done;
  if (reply?.content.status === "aborted") {
    return {
      kind: "failed",
      message: "The kernel dropped the question, probably because it was interrupted.",
    };
  }
  return display;
}
