// What about the prompts may not be meant: a chip with their number, and under it, once pressed, the sentences.
import type { JSX } from "preact";
import { useId, useState } from "preact/hooks";
import { Icon } from "../../parts/icon";
import { tokenText } from "../../parts/token";
import type { PromptNote } from "../../protocol/generated";

/** Characters of a sentence, at most. */
const LONGEST = 500;

export interface NotesState {
  /** The id of the list, which the chip controls. */
  id: string;
  open: boolean;
  toggle(): void;
}

export function useNotes(): NotesState {
  const id = useId();
  const [open, setOpen] = useState(false);
  return { id, open, toggle: () => setOpen((before) => !before) };
}

interface NotesProps {
  notes: readonly PromptNote[];
  state: NotesState;
}

export function NotesChip({ notes, state }: NotesProps): JSX.Element | null {
  if (notes.length === 0) return null;
  return (
    <button
      type="button"
      class="cb-badge cb-notes-chip"
      data-cb="notes"
      data-count={notes.length}
      aria-expanded={state.open}
      aria-controls={state.id}
      aria-label={`${notes.length} ${notes.length === 1 ? "note" : "notes"} on the prompts`}
      title="What about these prompts may not be meant"
      onClick={state.toggle}
    >
      <Icon name="warn" size={12} />
      <span>
        {notes.length}
        <span class="cb-notes-word">{notes.length === 1 ? " note" : " notes"}</span>
      </span>
    </button>
  );
}

export function NotesList({ notes, state }: NotesProps): JSX.Element | null {
  if (notes.length === 0 || !state.open) return null;
  return (
    <ul class="cb-notes" id={state.id} data-cb="notes-list" aria-label="Notes on the prompts">
      {notes.map(({ code, text, where }) => (
        <li key={`${code} ${where}`} data-cb="prompt-note" data-code={code}>
          <bdi>{tokenText(text, LONGEST)}</bdi>{" "}
          <span class="cb-quiet-text">({tokenText(where, 80)})</span>
        </li>
      ))}
    </ul>
  );
}
