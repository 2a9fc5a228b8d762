// Handing a file to the browser. No browser says whether it took it: a frame may forbid downloads and
// drop the click without a word, so whoever calls this offers the text as well.

/** How long the browser may take to read what it was handed (ms). */
const KEPT_MS = 60_000;

/** Whether the frame that holds the panel is known to forbid downloads. */
export function forbidsDownloads(view: Window = window): boolean {
  let frame: Element | null = null;
  try {
    frame = view.frameElement;
  } catch {
    return false; // The frame belongs to another site, which tells nothing of it.
  }
  const sandbox = frame?.getAttribute("sandbox");
  return typeof sandbox === "string" && !/(?:^|\s)allow-downloads(?:\s|$)/.test(sandbox);
}

/** Offer a file to be saved; false where that is known to be forbidden. */
export function download(blob: Blob, filename: string): boolean {
  if (forbidsDownloads()) return false;
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = filename;
  link.hidden = true;
  // VS Code listens for clicks on links of its page, and JupyterLab for those that lead away from it.
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
  return true;
}
