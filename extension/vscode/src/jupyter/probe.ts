// Asks a kernel, cheaply and without importing anything, whether it can show a board.
import { DISPLAY_MODULE } from "../../../src/protocol/generated";
import type { Kernel } from "./api";
import { runFor } from "./run";

export const PROBE = "application/vnd.circuitboard.probe+json";

export interface Probe {
  /** Whether the package is installed where the kernel runs. */
  installed: boolean;
  /** Whether a board has been made in it. */
  board: boolean;
}

const CODE =
  '(lambda modules, found: __import__("IPython.display", fromlist=["display"]).display(' +
  `{"${PROBE}": {"installed": found("circuitboard") is not None, ` +
  `"board": "${DISPLAY_MODULE}" in modules and modules["${DISPLAY_MODULE}"].` +
  "newest() is not None}}, raw=True))" +
  '(__import__("sys").modules, __import__("importlib.util", fromlist=["find_spec"]).find_spec)';

export async function probe(kernel: Kernel): Promise<Probe> {
  return (await runFor(kernel, CODE, PROBE)) as Probe;
}
