// What stands in a column of the prompts. Runs that are not as long end together: the longer one's first tokens
// stand alone.
import type { PromptRow, TokenColumn } from "../../protocol/generated";

interface ColumnToken {
  text: string;
  id: number | null;
}

/** The run that has no token in a column where the other has one. */
export function lacking(column: TokenColumn): "clean" | "corrupted" | null {
  const { clean, clean_id, corrupted, corrupted_id, padding } = column;
  if (padding || corrupted === null) return null;
  const [here, there] = [
    clean !== "" || clean_id !== null,
    corrupted !== "" || corrupted_id !== null,
  ];
  if (here === there) return null;
  return here ? "corrupted" : "clean";
}

/** The token that a column goes by: the clean one, or the corrupted one where it stands alone. */
export function columnToken(column: TokenColumn): ColumnToken {
  return lacking(column) === "clean"
    ? { text: column.corrupted ?? "", id: column.corrupted_id }
    : { text: column.clean, id: column.clean_id };
}

/** The first column in which the runs can be compared and differ: of runs that are not as long, a labelled one. */
export function firstDifference(prompt: PromptRow | undefined): number {
  const columns = prompt?.columns ?? [];
  const uneven = columns.some((column) => lacking(column) !== null);
  return columns.findIndex(({ differs, labels }) => differs && (!uneven || labels.length > 0));
}
