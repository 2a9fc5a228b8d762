// Asks a notebook's kernel to display its current board, and keeps the answer from the notebook.
import { type Kernel, KernelMessage } from "@jupyterlab/services";
import { NO_BOARD, SHOW_MODULE } from "../protocol/generated";
import { type BoardBundle, boardBundle } from "./output/bundle";

/**
 * One expression, so that no name is left in the user's namespace. A kernel that has not imported
 * circuitboard has no board: it is asked nothing more, and the import is not paid for.
 */
const show = (board: number | null): string =>
  '"circuitboard" in __import__("sys").modules and ' +
  `__import__("${SHOW_MODULE}", fromlist=["show_current"]).show_current(${board ?? ""}) or None`;

/** The stable code at the end of the error that says that no board has been made yet. */
const NO_BOARD_YET = new RegExp(`\\[${NO_BOARD}\\]\\s*$`);

export type Display =
  | { kind: "view"; bundle: BoardBundle }
  | { kind: "none" }
  | { kind: "failed"; message: string };

/**
 * Resolves once the kernel has answered; it waits behind a running cell, as any execution does.
 *
 * @param board The number under which the server lists it; null for the kernel's newest.
 */
export async function requestDisplay(
  kernel: Kernel.IKernelConnection,
  board: number | null = null,
): Promise<Display> {
  const { language_info: language } = await kernel.info;
  if (language.name !== "python") {
    return {
      kind: "failed",
      message: `Boards live in Python kernels; this one runs ${language.name}.`,
    };
  }
  const future = kernel.requestExecute({
    code: show(board),
    silent: false,
    store_history: false,
    allow_stdin: false,
    stop_on_error: false,
  });
  let display: Display = { kind: "none" };
  future.onIOPub = (message) => {
    if (KernelMessage.isDisplayDataMsg(message)) {
      const bundle = boardBundle(message.content.data, message.content.metadata);
      if (bundle !== null) display = { kind: "view", bundle };
    } else if (KernelMessage.isErrorMsg(message)) {
      const { ename, evalue } = message.content;
      display = NO_BOARD_YET.test(evalue)
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
