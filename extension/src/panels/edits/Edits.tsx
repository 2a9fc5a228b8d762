// The edits in the order in which they act, each with a switch, its effect and a way back.
import type { JSX } from "preact";
import { Button, IconButton, Switch } from "../../parts/controls";
import { direction, plain, signed } from "../../parts/number";
import { realOrNull } from "../../protocol/decode";
import type { EditRow } from "../../protocol/generated";
import type { BoardState } from "../../store/state";
import type { Actions } from "../actions";

/** What an edit changed, in words: the receipt. */
export function receiptWords(edit: EditRow, unit: string): string {
  const before = realOrNull(edit.norm_before);
  const change = realOrNull(edit.norm_change);
  const effect = realOrNull(edit.effect);
  const lines = [
    change === null
      ? "Switched off: changes nothing now."
      : change === 0
        ? "Changes nothing: the activation is what it was."
        : `Activation norm ${before === null ? "?" : plain(before)}, norm of the change ${plain(change)}.`,
    effect === null ? "" : `Effect with the other edits in force: ${signed(effect, 4)} ${unit}.`,
  ];
  return lines.filter((line) => line !== "").join(" ");
}

function Row({
  edit,
  index,
  off,
  unit,
  act,
}: {
  edit: EditRow;
  index: number;
  off: boolean;
  unit: string;
  act: Actions;
}): JSX.Element {
  const effect = realOrNull(edit.effect);
  const change = realOrNull(edit.norm_change);
  const strength = realOrNull(edit.strength);
  const nothing = edit.enabled && change === 0;
  return (
    <li
      class={`cb-edit${edit.enabled ? "" : " cb-edit-off"}`}
      data-cb="edit"
      data-site={edit.site}
      title={receiptWords(edit, unit)}
    >
      <Switch
        cb="edit-toggle"
        label={`Use edit ${edit.site}`}
        on={edit.enabled}
        disabled={off}
        onClick={() => act.toggle(index)}
      />
      <span class="cb-edit-what">
        <b>{edit.site}</b> {edit.how}
        {strength === null ? null : ` \u00d7${plain(strength)}`}
        <span class="cb-quiet-text"> @ {edit.at}</span>
      </span>
      {nothing ? (
        <span class="cb-warn">no change</span>
      ) : (
        <span class={effect === null ? "cb-quiet-text" : direction(effect)}>
          {effect === null ? (edit.enabled ? "\u2026" : "off") : signed(effect)}
        </span>
      )}
      <IconButton
        cb="edit-remove"
        icon="x"
        label={`Remove edit ${edit.site}`}
        disabled={off}
        onClick={() => act.remove(index)}
      />
    </li>
  );
}

interface EditsProps {
  state: BoardState;
  act: Actions;
  copied: boolean;
  onCopy(): void;
}

export function Edits({ state, act, copied, onCopy }: EditsProps): JSX.Element {
  const { snapshot } = state;
  const off = !state.connected || snapshot === null;
  const edits = snapshot?.edits ?? [];
  const unit = snapshot?.metric.unit ?? "";
  return (
    <section class="cb-sec" aria-label="Edits">
      <div class="cb-sechead">
        <h3 class="cb-h">
          Edits
          {edits.length > 0 ? <span class="cb-quiet-text cb-plain"> effect in {unit}</span> : null}
        </h3>
        <span class="cb-grow" />
        <IconButton
          cb="undo"
          icon="undo"
          label="Undo (Ctrl-Z)"
          disabled={off || !snapshot.can_undo}
          onClick={act.undo}
        />
        <IconButton
          cb="redo"
          icon="redo"
          label="Redo (Ctrl-Shift-Z)"
          disabled={off || !snapshot.can_redo}
          onClick={act.redo}
        />
      </div>
      {edits.length === 0 ? (
        <p class="cb-hint">
          None yet. What you click is listed here, with a switch, its effect and a way back.
        </p>
      ) : (
        <ol class="cb-edits">
          {edits.map((edit, index) => (
            <Row key={index} edit={edit} index={index} off={off} unit={unit} act={act} />
          ))}
        </ol>
      )}
      <div class="cb-row cb-edit-actions">
        <Button
          cb="copy-code"
          title="Copy Python that rebuilds this state"
          disabled={off}
          onClick={onCopy}
        >
          {copied ? "Copied" : "Copy Python"}
        </Button>
        <Button
          cb="clear"
          title="Take every edit back (one step of undo)"
          disabled={off || edits.length === 0}
          onClick={act.clear}
        >
          Clear
        </Button>
      </div>
    </section>
  );
}
