// What the kernel sends of a board, as far as the extension reads it.
import type { PartialJSONObject } from "@lumino/coreutils";

/** The live panel, drawn by Jupyter's own widget manager. */
export const WIDGET_VIEW = "application/vnd.jupyter.widget-view+json";

/** Names the same widget for us, so that we draw the output and can show the still picture instead. */
export const BOARD_OUTPUT = "application/vnd.circuitboard.board+json";

export const HTML = "text/html";

/** Ids of displays that the kernel sends again begin so; the rest is the widget model's id. */
export const DISPLAY_PREFIX = "circuitboard-";

/** The file that autosave writes is named so. */
const FILE_NAME = /^[\w.-]{1,200}\.board\.json$/;

/** One output of a board. */
export interface BoardBundle {
  data: PartialJSONObject;
  metadata: PartialJSONObject;
  modelId: string;
  /** The name of the file that keeps the board, if it is kept. */
  saved: string | null;
}

/** The bundle, if it is a board's. */
export function boardBundle(data: unknown, metadata: unknown): BoardBundle | null {
  if (typeof data !== "object" || data === null) return null;
  const all = data as PartialJSONObject;
  const board = all[BOARD_OUTPUT] as { model_id?: unknown; saved?: unknown } | undefined;
  if (typeof board?.model_id !== "string") return null;
  const saved = typeof board.saved === "string" && FILE_NAME.test(board.saved) ? board.saved : null;
  return {
    data: all,
    metadata: (metadata ?? {}) as PartialJSONObject,
    modelId: board.model_id,
    saved,
  };
}
