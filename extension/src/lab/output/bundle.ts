// What the kernel sends of a board, as far as the extension reads it.
import type { PartialJSONObject } from "@lumino/coreutils";
import { BOARD_OUTPUT, type BoardOutput, SAVED_NAME } from "../../protocol/generated";

export const HTML = "text/html";

const FILE_NAME = new RegExp(`^(?:${SAVED_NAME})$`);

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
  const board = all[BOARD_OUTPUT] as { [name in keyof BoardOutput]?: unknown } | undefined;
  if (typeof board?.model_id !== "string") return null;
  const saved = typeof board.saved === "string" && FILE_NAME.test(board.saved) ? board.saved : null;
  return {
    data: all,
    metadata: (metadata ?? {}) as PartialJSONObject,
    modelId: board.model_id,
    saved,
  };
}
