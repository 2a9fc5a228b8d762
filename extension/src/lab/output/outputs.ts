// The outputs of a notebook that show boards: found by the widget they name, and put in each other's place.
import type { CodeCell } from "@jupyterlab/cells";
import type { NotebookPanel } from "@jupyterlab/notebook";
import type { PartialJSONObject } from "@lumino/coreutils";
import { WIDGET_VIEW } from "../../protocol/generated";
import { type BoardBundle, boardBundle } from "./bundle";

/**
 * Gives every output that shows the board `modelId` another bundle, and says how many there were. The
 * notebook is then to be saved, and its views draw the new bundle themselves.
 */
export function replaceOutputs(
  notebook: NotebookPanel,
  modelId: string,
  bundle: Pick<BoardBundle, "data" | "metadata">,
): number {
  let replaced = 0;
  for (const cell of notebook.content.widgets) {
    if (cell.model.type !== "code") continue;
    const { outputs } = (cell as CodeCell).model;
    for (let index = 0; index < outputs.length; index += 1) {
      const output = outputs.get(index).toJSON() as PartialJSONObject;
      if (boardBundle(output.data, output.metadata)?.modelId !== modelId) continue;
      const data = { ...bundle.data };
      // An output without a live view, as of a program that ran the notebook, keeps none.
      if ((output.data as PartialJSONObject)[WIDGET_VIEW] === undefined) delete data[WIDGET_VIEW];
      outputs.set(index, { ...output, data, metadata: bundle.metadata } as never);
      replaced += 1;
    }
  }
  return replaced;
}

/** The first code cell with an output of the board `modelId`, if there is one. */
export function cellOf(notebook: NotebookPanel, modelId: string): CodeCell | null {
  for (const cell of notebook.content.widgets) {
    if (cell.model.type !== "code") continue;
    const { outputs } = (cell as CodeCell).model;
    for (let index = 0; index < outputs.length; index += 1) {
      const output = outputs.get(index).toJSON() as PartialJSONObject;
      if (boardBundle(output.data, output.metadata)?.modelId === modelId) return cell as CodeCell;
    }
  }
  return null;
}
