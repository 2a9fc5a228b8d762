// A file as text, to be copied by hand where it could not be handed over.
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Button } from "../../parts/controls";
import { Dialog } from "../help/Dialog";
import type { FileText } from "./exporting";

export function TextDialog({ file, onClose }: { file: FileText; onClose(): void }): JSX.Element {
  const area = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    area.current?.select();
    if (area.current !== null) area.current.scrollTop = 0;
  }, []);
  return (
    <Dialog cb="file-text" label={`Text of ${file.filename}`} onClose={onClose}>
      <div class="cb-save">
        <p>
          {file.why ?? "The text is selected: copy it with Ctrl-C, and save it as"}{" "}
          <b>{file.filename}</b>.
        </p>
        <textarea
          ref={area}
          class="cb-code"
          data-first
          readOnly
          rows={14}
          spellcheck={false}
          value={file.text}
          aria-label={`Text of ${file.filename}`}
        />
        <div class="cb-row">
          <span class="cb-grow" />
          <Button onClick={onClose}>Close</Button>
        </div>
      </div>
    </Dialog>
  );
}
