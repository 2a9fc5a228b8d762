// Positions as people name them.
import { tokenWords } from "../../parts/token";
import type { PromptRow } from "../../protocol/generated";
import type { Positions } from "./selection";

/** Names that are told before the rest is counted. */
const TOLD = 6;

/** How many columns on the left hold no token of this prompt. */
export function paddingOf(prompt: PromptRow | undefined): number {
  return prompt?.columns.filter((column) => column.padding).length ?? 0;
}

/**
 * Positions by label where there is one, else counted in the prompt's own tokens; neighbours without a
 * label are told as a range, and of many the first few.
 */
export function positionWords(positions: Positions, prompt: PromptRow | undefined): string {
  if (positions === null) return "all positions";
  const padding = paddingOf(prompt);
  const words: string[] = [];
  let run: [number, number] | null = null;
  const close = (): void => {
    if (run === null) return;
    const [from, to] = run;
    if (to - from < 2) for (let p = from; p <= to; p += 1) words.push(String(p - padding));
    else words.push(`${from - padding}\u2013${to - padding}`);
    run = null;
  };
  for (const p of positions) {
    const column = prompt?.columns[p];
    if (column?.padding === true) continue;
    const label = column?.labels[0];
    if (label !== undefined) {
      close();
      words.push(tokenWords(label, 24));
    } else if (run !== null && run[1] === p - 1) run = [run[0], p];
    else {
      close();
      run = [p, p];
    }
  }
  close();
  if (words.length === 0) return "no token of this prompt";
  const more = words.length - TOLD;
  return more > 1 ? `${words.slice(0, TOLD).join(", ")} and ${more} more` : words.join(", ");
}
