// The code to copy by hand, where the browser does not let the panel copy.
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Button } from "../../parts/controls";

export function CodeDialog({ text, onClose }: { text: string; onClose(): void }): JSX.Element {
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
      aria-label="Python code of this state"
      data-cb="code"
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose();
        event.stopPropagation();
      }}
    >
      <p class="cb-hint">
        The browser does not let the panel copy. The code is selected: copy it with Ctrl-C.
      </p>
      <textarea
        ref={area}
        class="cb-code"
        readOnly
        rows={Math.max(4, Math.min(16, text.split("\n").length))}
        spellcheck={false}
        value={text}
        aria-label="Python code"
      />
      <div class="cb-row">
        <span class="cb-grow" />
        <Button onClick={onClose}>Close</Button>
      </div>
    </div>
  );
}
