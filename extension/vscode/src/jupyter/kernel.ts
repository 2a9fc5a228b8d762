// From a notebook to its kernel, or to what is missing on the way.
import { extensions, type Uri } from "vscode";
import { SHOW_MODULE } from "../../../src/protocol/generated";
import { JUPYTER, type Jupyter, type Kernel, PYTHON } from "./api";
import type { Missing } from "./missing";
import { type Probe, probe } from "./probe";
import { KernelError, NotRun } from "./run";

export type Outcome<T> = { ok: true; value: T } | { ok: false; missing: Missing };

const success = <T>(value: T): Outcome<T> => ({ ok: true, value });
const lacks = (missing: Missing): Outcome<never> => ({ ok: false, missing });

/** The Jupyter extension's API; asking for it starts that extension. */
export async function jupyter(): Promise<Outcome<Jupyter>> {
  const extension = extensions.getExtension<Jupyter>(JUPYTER);
  if (extension === undefined) return lacks({ kind: "jupyter" });
  return success(await extension.activate());
}

/** The kernel that the user has started for this notebook. */
export async function kernelOf(notebook: Uri): Promise<Outcome<Kernel>> {
  const api = await jupyter();
  if (!api.ok) return api;
  const kernel = await api.value.kernels.getKernel(notebook);
  if (kernel === undefined) {
    const python = extensions.getExtension(PYTHON) !== undefined;
    return lacks({ kind: python ? "kernel" : "python" });
  }
  if (kernel.language.toLowerCase() !== "python") {
    return lacks({ kind: "language", language: kernel.language });
  }
  return success(kernel);
}

/** What stands in the way when the kernel did not answer as it should. */
export function reasonOf(error: unknown): Missing {
  if (error instanceof KernelError && error.name === "ModuleNotFoundError") {
    return { kind: error.message.includes(SHOW_MODULE) ? "old_package" : "package" };
  }
  const reason = error instanceof Error ? `${error.message.replace(/\.?$/, ".")}` : "";
  return { kind: "permission", reason };
}

/** A kernel that has the package, and whether it has a board. */
export async function ready(notebook: Uri): Promise<Outcome<Probe & { kernel: Kernel }>> {
  const kernel = await kernelOf(notebook);
  if (!kernel.ok) return kernel;
  try {
    const answer = await probe(kernel.value);
    if (!answer.installed) return lacks({ kind: "package" });
    return success({ ...answer, kernel: kernel.value });
  } catch (error) {
    if (error instanceof KernelError || error instanceof NotRun) return lacks(reasonOf(error));
    throw error;
  }
}
