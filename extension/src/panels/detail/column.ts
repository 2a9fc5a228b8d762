// A column of the prompts by name: its label, or its token.
import { tokenWords } from "../../parts/token";
import type { PromptRow } from "../../protocol/generated";
import { columnToken } from "../prompts/column_token";
import { positionWords } from "../prompts/positions";

/** "END"; a token without a label with its position: "\u00b7and (3)". */
export function columnWords(column: number, prompt: PromptRow | undefined): string {
  const at = prompt?.columns[column];
  const position = positionWords([column], prompt);
  if (at === undefined || at.labels.length > 0 || at.padding) return position;
  return `${tokenWords(columnToken(at).text, 9)} (${position})`;
}
