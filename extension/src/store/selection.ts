// What the detail region is about, and what is read of it.

/** The component that the detail region is about. */
export interface Selection {
  site: string;
  /** The column to read it at; null for the one where the answer is read. */
  position: number | null;
}

/** What is read of the selected component beyond what is always read. */
export interface Wants {
  /** Columns between which a head is looked at; null for where the answer is read, and for what it attends to most. */
  row: number | null;
  source: number | null;
  circuit: boolean;
  byPosition: boolean;
}

export const NOTHING_MORE: Wants = { row: null, source: null, circuit: false, byPosition: false };

/** What was asked of a component. */
export interface Question extends Selection, Wants {
  prompt: number;
}

export function sameQuestion(a: Question, b: Question): boolean {
  return (
    a.site === b.site &&
    a.position === b.position &&
    a.prompt === b.prompt &&
    a.row === b.row &&
    a.source === b.source &&
    a.circuit === b.circuit &&
    a.byPosition === b.byPosition
  );
}
