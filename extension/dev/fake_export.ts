// What a fake kernel writes: a drawing, a page and a file as small as they can be.
import type { Export, Exported, Failed, Save, Saved } from "../src/protocol/generated";

const FILES: Record<Export["what"], readonly [text: string, filename: string, type: string]> = {
  csv: ["site,value,effect,exact\n", "map.csv", "text/csv"],
  python: ["board.undo()\n", "step.py", "text/x-python"],
  svg: [
    '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"><rect width="40" height="30" fill="#4c8dd7"/></svg>\n',
    "circuitboard-head.svg",
    "image/svg+xml",
  ],
  html: ["<!doctype html><title>board</title>\n", "gpt2-small-logit_diff.html", "text/html"],
  board: [
    '{"format": "circuitboard.board"}\n',
    "gpt2-small-logit_diff.board.json",
    "application/json",
  ],
};

export function exportOf({ id, what }: Export): Exported & { kind: "exported" } {
  const [text, filename, media_type] = FILES[what];
  return { kind: "exported", id, text, filename, media_type };
}

/** A disk on which names that begin with "old" are taken. */
export function saveOf({ id, path, overwrite }: Save): (Saved | Failed) & { kind: string } {
  if (path.startsWith("old") && overwrite !== true) {
    const error = { code: "file_exists", message: `${path} exists already.`, where: null };
    return { kind: "failed", id, error };
  }
  return { kind: "saved", id, path: `/home/me/${path}`, size: 2048 };
}
