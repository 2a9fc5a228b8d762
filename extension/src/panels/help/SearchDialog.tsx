// Finding a component by its name.
import type { JSX } from "preact";
import { useId, useState } from "preact/hooks";
import { type BoardState, shownView } from "../../store/state";
import { Dialog } from "./Dialog";
import { type Destination, EXAMPLES, read } from "./search";

interface SearchDialogProps {
  state: BoardState;
  onGo(to: Destination): void;
  onClose(): void;
}

export function SearchDialog({ state, onGo, onClose }: SearchDialogProps): JSX.Element | null {
  const [typed, setTyped] = useState("");
  const [entered, setEntered] = useState(false);
  const id = useId();
  const { setup } = state;
  if (setup === null) return null;
  const prompt = setup.prompts[shownView(state)?.prompt ?? 0];
  const reading = typed.trim() === "" ? null : read(typed, setup, prompt);
  const problem = reading !== null && "problem" in reading ? reading.problem : null;
  return (
    <Dialog cb="search" label="Find a component" onClose={onClose}>
      <form
        class="cb-search"
        onSubmit={(event) => {
          event.preventDefault();
          if (reading !== null && "destination" in reading) onGo(reading.destination);
          else setEntered(true);
        }}
      >
        <label class="cb-strong" for={id}>
          Find a component
        </label>
        <div class="cb-row">
          <input
            id={id}
            type="text"
            data-first=""
            class="cb-search-field"
            data-cb="search-field"
            autocomplete="off"
            spellcheck={false}
            placeholder="9.6"
            value={typed}
            aria-invalid={entered && problem !== null}
            aria-describedby={`${id}-says`}
            onInput={(event) => {
              setTyped(event.currentTarget.value);
              setEntered(false);
            }}
          />
          <button type="submit" class="cb-btn cb-btn-line" data-cb="search-go">
            Go
          </button>
        </div>
        <p
          id={`${id}-says`}
          class={entered && problem !== null ? "cb-warn" : "cb-quiet-text"}
          role="status"
          data-cb="search-says"
        >
          {reading === null
            ? `Such as ${EXAMPLES}; or a token, or a label.`
            : "destination" in reading
              ? `Enter goes to ${reading.destination.words}.`
              : problem}
        </p>
      </form>
    </Dialog>
  );
}
