// Short names for the columns of a prompt: what fits above a cell, and never one name for two different tokens.

import { tokenWords } from "../../../parts/token";
import type { PromptRow } from "../../../protocol/generated";
import { columnToken } from "../../prompts/column_token";

/** A token without the space in front of it, unless it is nothing else. */
function withoutSpace(text: string): string {
  return text.length > 1 && text.startsWith(" ") ? text.slice(1) : text;
}

const known = new WeakMap<PromptRow, readonly string[]>();

/** The name of each column by its token; the space in front is left out where nothing else has the name. */
export function columnNames(prompt: PromptRow, longest: number): readonly string[] {
  const found = known.get(prompt);
  if (found !== undefined) return found;
  const names = prompt.columns.map((column) =>
    column.padding ? "" : tokenWords(withoutSpace(columnToken(column).text), longest),
  );
  told(prompt, names, ({ text }) => tokenWords(text, longest));
  told(prompt, names, ({ text, id }) => `${tokenWords(text, 4)}#${id ?? ""}`);
  known.set(prompt, names);
  return names;
}

/** Names that stand for more than one token are written another way. */
function told(
  prompt: PromptRow,
  names: string[],
  otherwise: (token: ReturnType<typeof columnToken>) => string,
): void {
  const tokens = new Map<string, Set<string>>();
  prompt.columns.forEach((column, i) => {
    if (column.padding) return;
    const name = names[i] ?? "";
    const ids = tokens.get(name) ?? new Set();
    const { text, id } = columnToken(column);
    tokens.set(name, ids.add(String(id ?? text)));
  });
  prompt.columns.forEach((column, i) => {
    if (!column.padding && (tokens.get(names[i] ?? "")?.size ?? 0) > 1)
      names[i] = otherwise(columnToken(column));
  });
}
