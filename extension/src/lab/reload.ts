// "Reload the last saved board": asks the kernel how, runs that Python, and hands back what it displays.
import type { NotebookPanel } from "@jupyterlab/notebook";
import { type Kernel, KernelMessage } from "@jupyterlab/services";
import { type Offer, RELOADING_MODULE } from "../protocol/generated";
import { ask } from "./ask";
import { type BoardBundle, boardBundle } from "./output/bundle";

export type Reloaded =
  | { kind: "board"; bundle: BoardBundle }
  | { kind: "failed"; words: string; code: string | null };

/** Runs code as the user would, and takes the board that it displays. */
export async function runForBoard(
  kernel: Kernel.IKernelConnection,
  code: string,
): Promise<Reloaded> {
  const future = kernel.requestExecute({
    code,
    silent: false,
    store_history: true,
    allow_stdin: false,
    stop_on_error: false,
  });
  let reloaded: Reloaded = { kind: "failed", words: "The kernel showed no board.", code };
  future.onIOPub = (message) => {
    if (KernelMessage.isDisplayDataMsg(message) || KernelMessage.isExecuteResultMsg(message)) {
      const bundle = boardBundle(message.content.data, message.content.metadata);
      if (bundle !== null) reloaded = { kind: "board", bundle };
    } else if (KernelMessage.isErrorMsg(message)) {
      const { ename, evalue } = message.content;
      reloaded = { kind: "failed", words: `${ename}: ${evalue}`, code };
    }
  };
  await future.done;
  return reloaded;
}

/** Statuses of a kernel that will soon have another one. */
const PASSING: ReadonlySet<Kernel.Status> = new Set([
  "restarting",
  "autorestarting",
  "starting",
  "unknown",
  "terminating",
]);

/** The kernel of a notebook once it answers; started if there is none, or if it is dead. */
async function kernelOf(notebook: NotebookPanel): Promise<Kernel.IKernelConnection | null> {
  const context = notebook.sessionContext;
  if (!context.session?.kernel) {
    await context.startKernel();
    await context.ready;
  }
  const kernel = context.session?.kernel ?? null;
  if (kernel === null) return null;
  if (kernel.status === "dead") await kernel.restart();
  await new Promise<void>((resolve) => {
    const look = (): void => {
      if (
        !kernel.isDisposed &&
        (PASSING.has(kernel.status) || kernel.connectionStatus !== "connected")
      )
        return;
      kernel.statusChanged.disconnect(look);
      kernel.connectionStatusChanged.disconnect(look);
      resolve();
    };
    kernel.statusChanged.connect(look);
    kernel.connectionStatusChanged.connect(look);
    look();
  });
  return kernel;
}

/** A kernel that died is started again by the server after seconds, and drops what it was asked before. */
const TRIES = 3;

/**
 * Loads a kept board again in the notebook's kernel.
 *
 * @param saved The file's name; null for the newest of the notebook.
 */
export async function reloadBoard(
  notebook: NotebookPanel,
  saved: string | null,
): Promise<Reloaded> {
  let words = "";
  for (let tried = 0; tried < TRIES; tried += 1) {
    try {
      const kernel = await kernelOf(notebook);
      if (kernel === null) {
        return { kind: "failed", words: "This notebook has no kernel; choose one.", code: null };
      }
      return await reloadIn(kernel, saved);
    } catch (error) {
      // A future is rejected when its kernel goes away.
      words = error instanceof Error ? error.message : String(error);
    }
  }
  return { kind: "failed", words, code: null };
}

async function reloadIn(kernel: Kernel.IKernelConnection, saved: string | null): Promise<Reloaded> {
  const offer = await ask<Offer>(kernel, RELOADING_MODULE, "offer", saved);
  if (offer.kind === "failed") return { ...offer, code: null };
  const { possible, words, code } = offer.value;
  if (!possible || code === null) return { kind: "failed", words, code };
  return await runForBoard(kernel, code);
}
