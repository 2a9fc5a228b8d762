// Where to save the board: in a file on the kernel's side, or among the browser's downloads.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Button } from "../../parts/controls";
import type { Settlement } from "../../protocol/connection";
import type { Setup, Snapshot } from "../../protocol/generated";
import { Dialog } from "../help/Dialog";

/** Model and metric as the name of a file. */
export function defaultName(setup: Setup, snapshot: Snapshot): string {
  const stem = `${setup.model}-${snapshot.metric.name}`
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .slice(0, 80)
    .replace(/^[-.]+|[-.]+$/g, "");
  return `${stem || "board"}.board.json`;
}

interface SaveDialogProps {
  name: string;
  save(path: string, overwrite: boolean): Promise<Settlement>;
  onSaved(path: string): void;
  onDownload(): void;
  onClose(): void;
}

interface Refused {
  code: string;
  message: string;
  path: string;
}

export function SaveDialog(props: SaveDialogProps): JSX.Element {
  const [path, setPath] = useState(props.name);
  const [refused, setRefused] = useState<Refused | null>(null);
  const [saving, setSaving] = useState(false);
  const there = refused?.code === "file_exists" && refused.path === path;
  const save = async (overwrite: boolean): Promise<void> => {
    setSaving(true);
    const answer = await props.save(path, overwrite);
    setSaving(false);
    if (answer.kind === "saved") return props.onSaved(answer.path);
    const { code, message } =
      answer.kind === "failed"
        ? answer.error
        : { code: "lost", message: "The kernel did not answer; nothing is known of the file." };
    return setRefused({ code, message, path });
  };
  const said = there
    ? `${path} exists already. It was left as it is.`
    : (refused?.message.slice(0, 600) ?? "");
  return (
    <Dialog cb="save-dialog" label="Save board" onClose={props.onClose}>
      <form
        class="cb-save"
        onSubmit={(event) => {
          event.preventDefault();
          if (!saving && path.trim() !== "") void save(false);
        }}
      >
        <h2 class="cb-h">Save board</h2>
        <label>
          File, from the folder that the kernel runs in
          <input
            class="cb-save-path"
            data-cb="save-path"
            data-first
            value={path}
            spellcheck={false}
            autocomplete="off"
            aria-describedby="cb-save-said"
            onInput={(event) => setPath(event.currentTarget.value)}
          />
        </label>
        <p
          id="cb-save-said"
          class={refused === null ? "cb-quiet-text" : "cb-warn"}
          role={refused === null ? undefined : "alert"}
          data-cb="save-said"
          data-code={refused?.code}
        >
          {refused === null ? "cb.Board.load(path, model) opens it again." : said}
        </p>
        <div class="cb-row">
          <Button cb="save-download" disabled={saving} onClick={props.onDownload}>
            Download instead
          </Button>
          <span class="cb-grow" />
          <Button onClick={props.onClose}>Cancel</Button>
          {there ? (
            <Button cb="save-replace" look="line" disabled={saving} onClick={() => void save(true)}>
              Replace it
            </Button>
          ) : (
            <button
              type="submit"
              class="cb-btn cb-btn-line"
              data-cb="save-do"
              disabled={saving || path.trim() === ""}
            >
              Save
            </button>
          )}
        </div>
      </form>
    </Dialog>
  );
}
