// The part of the Jupyter extension's public API that is used.
import type { CancellationToken, Event, Uri } from "vscode";

export const JUPYTER = "ms-toolsai.jupyter";
export const PYTHON = "ms-python.python";

export type KernelStatus =
  | "unknown"
  | "starting"
  | "idle"
  | "busy"
  | "terminating"
  | "restarting"
  | "autorestarting"
  | "dead";

export interface OutputItem {
  mime: string;
  data: Uint8Array;
}

export interface Kernel {
  readonly status: KernelStatus;
  readonly onDidChangeStatus: Event<KernelStatus>;
  readonly language: string;
  executeCode(code: string, token: CancellationToken): AsyncIterable<{ items: OutputItem[] }>;
}

export interface Jupyter {
  readonly kernels: { getKernel(uri: Uri): Thenable<Kernel | undefined> };
}

/** What VS Code gives an error of the kernel as. */
export const ERROR_MIME = "application/vnd.code.notebook.error";
