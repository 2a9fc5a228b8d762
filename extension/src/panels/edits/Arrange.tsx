// What can be done with the edits that are marked: put them under a name, switch or remove them in one step.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Button } from "../../parts/controls";
import type { Actions } from "../actions";

interface ArrangeProps {
  marked: readonly number[];
  off: boolean;
  act: Actions;
  onDone(): void;
}

export function Arrange({ marked, off, act, onDone }: ArrangeProps): JSX.Element {
  const [name, setName] = useState("");
  const none = off || marked.length === 0;
  const group = (): void => {
    if (none || name.trim() === "") return;
    act.group(name.trim(), [...marked]);
    setName("");
    onDone();
  };
  const then = (step: (indices: number[]) => void): void => {
    step([...marked]);
    onDone();
  };
  return (
    <fieldset class="cb-arrange" aria-label="The edits that are marked">
      <p class="cb-small cb-quiet-text" role="status">
        {marked.length === 0
          ? "Mark edits to group, switch or remove them."
          : `${marked.length} marked.`}
      </p>
      <div class="cb-row">
        <input
          type="text"
          class="cb-field cb-grow"
          data-cb="group-field"
          aria-label="Name of the group"
          placeholder="name movers"
          maxLength={80}
          value={name}
          disabled={none}
          onInput={(event) => setName(event.currentTarget.value)}
          onKeyDown={(event) => {
            event.stopPropagation();
            if (event.key === "Enter") group();
            else if (event.key === "Escape") onDone();
          }}
        />
        <Button cb="group" look="line" disabled={none || name.trim() === ""} onClick={group}>
          Group
        </Button>
      </div>
      <div class="cb-row">
        <Button
          cb="marked-toggle"
          look="line"
          title="Off if any of them is in force, else on; one step"
          disabled={none}
          onClick={() => then(act.toggle)}
        >
          Switch
        </Button>
        <Button cb="marked-remove" look="line" disabled={none} onClick={() => then(act.remove)}>
          Remove
        </Button>
        <span class="cb-grow" />
        <Button cb="arrange-done" onClick={onDone}>
          Done
        </Button>
      </div>
    </fieldset>
  );
}
