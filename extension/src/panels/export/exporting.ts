// What leaves the panel as a file, and what is said about it: files are made by the kernel, handed to
// the browser here, and offered as text where a frame lets nothing through.
import { useEffect, useRef, useState } from "preact/hooks";
import { download, pngOf } from "../../host";
import type { Exported } from "../../protocol/generated";
import type { Actions } from "../actions";

/** The map as a drawing or a picture of pixels, the board as a page, or as the file that Board.load reads. */
export type FileKind = "svg" | "png" | "html" | "board";

export interface FileText {
  filename: string;
  text: string;
  /** Why it is shown instead of saved; null where the reader asked for it. */
  why: string | null;
}

export interface Notice {
  text: string;
  /** What was handed over, to be shown as text on request. */
  file: FileText | null;
}

export interface Exporting {
  notice: Notice | null;
  /** The text that is shown to be copied by hand. */
  byHand: FileText | null;
  run(what: FileKind): void;
  say(text: string): void;
  showText(): void;
  close(): void;
}

/** How long a notice stays (ms). */
const NOTICE_MS = 8_000;

const MAKING: Record<FileKind, string> = {
  svg: "Drawing the map\u2026",
  png: "Drawing the map\u2026",
  html: "Writing the page\u2026",
  board: "Writing the file\u2026",
};

const FORBIDDEN = "This frame does not let files through. Copy the text and save it as";

async function handedOver(
  what: FileKind,
  { text, filename, media_type }: Exported,
): Promise<Notice | FileText> {
  const file = { filename, text, why: null };
  if (what === "png") {
    const name = filename.replace(/\.svg$/, ".png");
    try {
      if (download(await pngOf(text), name))
        return { text: `${name} was handed to the browser.`, file };
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return { ...file, why: `${why} Copy the drawing itself, and save it as` };
    }
  } else if (download(new Blob([text], { type: media_type }), filename)) {
    return { text: `${filename} was handed to the browser.`, file };
  }
  return { ...file, why: FORBIDDEN };
}

export function useExporting(act: Actions): Exporting {
  const [notice, setNotice] = useState<Notice | null>(null);
  const [byHand, setByHand] = useState<FileText | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const alive = useRef(true);
  useEffect(
    () => () => {
      alive.current = false;
      clearTimeout(timer.current);
    },
    [],
  );
  const tell = (next: Notice | null, stays = false): void => {
    clearTimeout(timer.current);
    setNotice(next);
    if (!stays && next !== null) timer.current = setTimeout(() => setNotice(null), NOTICE_MS);
  };
  const run = async (what: FileKind): Promise<void> => {
    tell({ text: MAKING[what], file: null }, true);
    const file = await act.file(what === "png" ? "svg" : what);
    const done = file === null ? null : await handedOver(what, file);
    if (!alive.current) return;
    // What was refused is told by the banner.
    if (done === null) return tell(null);
    if ("why" in done) {
      setByHand(done);
      return tell(null);
    }
    return tell(done);
  };
  return {
    notice,
    byHand,
    run: (what) => void run(what),
    say: (text) => tell({ text, file: null }),
    showText: () => {
      if (notice?.file) setByHand(notice.file);
      tell(null);
    },
    close: () => setByHand(null),
  };
}
