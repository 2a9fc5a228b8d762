// The text to copy by hand, where the browser does not let the panel copy.
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Button } from "../../parts/controls";
import type { Copyable } from "./copying";

const NAMES: Record<Copyable, string> = {
  state: "Python code of this state",
  step: "Python code of the last step",
  csv: "The map as CSV",
};

interface CodeDialogProps {
  what: Copyable;
  text: string;
  onClose(): void;
}

export function CodeDialog({ what, text, onClose }: CodeDialogProps): JSX.Element {
  const area = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    area.current?.focus();
    area.current?.select();
    if (area.current !== null) area.current.scrollTop = 0;
  }, []);
  return (
    <div
      class="cb-dialog"
      role="dialog"
      aria-label={NAMES[what]}
      data-cb="code"
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose();
        event.stopPropagation();
      }}
    >
      <p class="cb-hint">
        The browser does not let the panel copy. The text is selected: copy it with Ctrl-C.
      </p>
      <textarea
        ref={area}
        class="cb-code"
        readOnly
        rows={Math.max(4, Math.min(16, text.split("\n").length))}
        spellcheck={false}
        value={text}
        aria-label={what === "csv" ? "CSV" : "Python code"}
      />
      <div class="cb-row">
        <span class="cb-grow" />
        <Button onClick={onClose}>Close</Button>
      </div>
    </div>
  );
}
