// Running the cell that made the panel, where the host can do that. A host that can says so by an
// attribute of the body and listens for an event of the panel's; others leave it to the reader.

/** The attribute of the body by which a host says that it answers `RUN_CELL`. */
export const RUNS_CELLS = "circuitboardRunsCells";

/** The event, sent from within the output, by which the panel asks for its cell to be run again. */
export const RUN_CELL = "circuitboard-run-cell";

export function canRunCell(): boolean {
  return document.body.dataset[RUNS_CELLS] === "true";
}

/** Ask the host to run the cell that `inside` is an output of; false where it cannot. */
export function runCell(inside: Element): boolean {
  if (!canRunCell()) return false;
  inside.dispatchEvent(new CustomEvent(RUN_CELL, { bubbles: true, composed: true }));
  return true;
}
