// Copying text that has yet to be asked for. Browsers allow a copy only within the click that asks
// for it, so the promise of the text is handed over at once where that is possible.

/** Copy what `text` will be; resolves to the text that could not be copied, or null when it was. */
export async function copyLater(text: Promise<string | null>): Promise<string | null> {
  const { clipboard } = navigator;
  if (clipboard !== undefined && typeof ClipboardItem !== "undefined") {
    const blob = text.then((value) => {
      // Nothing to copy leaves the clipboard as it was.
      if (value === null) throw new Error("there is nothing to copy");
      return new Blob([value], { type: "text/plain" });
    });
    blob.catch(() => undefined); // A browser that refuses at once never looks at it.
    try {
      await clipboard.write([new ClipboardItem({ "text/plain": blob })]);
      return null;
    } catch {
      // Refused, or promises are not taken here: try the text itself.
    }
  }
  const value = await text;
  if (value === null) return null;
  try {
    await clipboard.writeText(value);
    return null;
  } catch {
    return value;
  }
}
