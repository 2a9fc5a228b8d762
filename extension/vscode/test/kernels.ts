// Kernels that answer the extension's questions the way the Python side does.
import { BRIDGE, type Told } from "../../src/protocol/generated";
import { ERROR_MIME, type OutputItem } from "../src/jupyter/api";
import { PROBE, type Probe } from "../src/jupyter/probe";
import { StubKernel } from "./vscode";

export function json(mime: string, value: unknown): OutputItem[] {
  return [{ mime, data: new TextEncoder().encode(JSON.stringify(value)) }];
}

export function raised(name: string, message: string): OutputItem[] {
  return json(ERROR_MIME, { name, message, stack: "" });
}

/** The question inside an expression of the bridge, as Python would read it. */
export function questionOf(code: string): Record<string, unknown> {
  const text = /\.exchange\((".*")\)$/s.exec(code)?.[1];
  if (text === undefined) throw new Error(`no question in ${code}`);
  return JSON.parse(JSON.parse(text));
}

type Tell = (ask: Record<string, unknown>) => Told | OutputItem[] | Promise<Told>;

/** A kernel with the package; `tell` answers the bridge's questions. */
export function kernelWith(found: Partial<Probe>, tell?: Tell): StubKernel {
  return new StubKernel(async (code) => {
    if (code.includes(PROBE)) return json(PROBE, { installed: true, board: false, ...found });
    const told = await tell?.(questionOf(code));
    if (told === undefined) throw new Error(`not expected: ${code}`);
    return Array.isArray(told) ? told : json(BRIDGE, told);
  });
}
