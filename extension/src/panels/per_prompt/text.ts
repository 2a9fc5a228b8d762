// A prompt in one line.
import { tokenText } from "../../parts/token";
import type { PromptRow } from "../../protocol/generated";

/** Characters of a line, at most; far more than fits. */
const LONGEST = 240;

/** The mark that starts a text: the same in every prompt, it would take the room of what differs. */
const START = /^<[^\s<>]{1,20}>$/;

/** The tokens of one run joined, without padding and start, cut to a line; what is invisible is named. */
export function promptText(prompt: PromptRow, run: "clean" | "corrupted"): string {
  let text = "";
  for (const { clean, corrupted, padding } of prompt.columns) {
    const token = run === "clean" ? clean : (corrupted ?? clean);
    if (padding || (text === "" && START.test(token))) continue;
    text += token.slice(0, LONGEST);
    if (text.length > LONGEST) break;
  }
  return tokenText(text.trim(), LONGEST);
}
