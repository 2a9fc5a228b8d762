// The edits in the order in which they act, each with a switch, its effect and a way back.
import type { JSX } from "preact";
import { Button, IconButton, Switch } from "../../parts/controls";
import { attribute, direction, plain, signed } from "../../parts/number";
import { tokenText } from "../../parts/token";
import { realOrNull } from "../../protocol/decode";
import type { EditRow } from "../../protocol/generated";
import type { BoardState } from "../../store/state";
import type { Actions } from "../actions";
import type { Copying } from "../code/copying";
import { Strength } from "./Strength";

/** Characters of an edit in words, at most. */
const LONGEST = 120;

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

/** Edits whose strength, values or seed only the whole sentence tells. */
const SAID_IN_FULL = new Set(["add", "set", "freeze", "resample"]);

function What({ edit }: { edit: EditRow }): JSX.Element {
  const at = <span class="cb-quiet-text"> @ {tokenText(edit.at, LONGEST)}</span>;
  // The sentence names the positions too, where it names any.
  if (SAID_IN_FULL.has(edit.how)) {
    const text = tokenText(edit.what, LONGEST);
    const [before, after] = parted(text, edit.site);
    return (
      <span class="cb-edit-what cb-edit-full">
        {before}
        <b>{after === null ? "" : edit.site}</b>
        {after}
        {edit.positions === null ? at : null}
      </span>
    );
  }
  return (
    <span class="cb-edit-what">
      <b>{edit.site}</b> {edit.how}
      {at}
    </span>
  );
}

/** What stands before and after the first `word` of a text; null after where it has none. */
function parted(text: string, word: string): [before: string, after: string | null] {
  const at = text.indexOf(word);
  return at < 0 ? [text, null] : [text.slice(0, at), text.slice(at + word.length)];
}

interface RowProps {
  edit: EditRow;
  index: number;
  last: number;
  off: boolean;
  unit: string;
  settled: unknown;
  act: Actions;
}

function Order({ edit, index, last, off, act }: RowProps): JSX.Element {
  const move = (from: HTMLElement, to: number): void => {
    act.move(index, to);
    // The focus stays with the edit, whose row is drawn there next.
    const row = from.closest("ol")?.children[to];
    const name = to === 0 ? "edit-down" : to === last ? "edit-up" : from.dataset.cb;
    row?.querySelector<HTMLElement>(`[data-cb="${name}"]`)?.focus();
  };
  return (
    <span class="cb-edit-order">
      <IconButton
        cb="edit-up"
        icon="up"
        label={`Let ${edit.site} act earlier`}
        disabled={off || index === 0}
        onClick={(event) => move(event.currentTarget, index - 1)}
      />
      <IconButton
        cb="edit-down"
        icon="down"
        label={`Let ${edit.site} act later`}
        disabled={off || index === last}
        onClick={(event) => move(event.currentTarget, index + 1)}
      />
    </span>
  );
}

function Row(props: RowProps): JSX.Element {
  const { edit, index, last, off, unit, act } = props;
  const effect = realOrNull(edit.effect);
  const change = realOrNull(edit.norm_change);
  const strength = realOrNull(edit.strength);
  const nothing = edit.enabled && change === 0;
  return (
    <li
      class={`cb-edit${edit.enabled ? "" : " cb-edit-off"}`}
      data-cb="edit"
      data-site={edit.site}
      data-how={edit.how}
      data-effect={effect === null ? "" : attribute(effect)}
      title={`${tokenText(edit.what, LONGEST)}. ${receiptWords(edit, unit)}`}
    >
      <Switch
        cb="edit-toggle"
        label={`Use edit ${edit.site}`}
        on={edit.enabled}
        disabled={off}
        onClick={() => act.toggle(index)}
      />
      <What edit={edit} />
      {nothing ? (
        <span class="cb-warn">no change</span>
      ) : (
        <span class={effect === null ? "cb-quiet-text" : direction(effect)}>
          {effect === null ? (edit.enabled ? "\u2026" : "off") : signed(effect)}
        </span>
      )}
      {last === 0 ? <span /> : <Order {...props} />}
      <IconButton
        cb="edit-remove"
        icon="x"
        label={`Remove edit ${edit.site}`}
        disabled={off}
        onClick={() => act.remove(index)}
      />
      {strength === null ? null : (
        <span class="cb-edit-strength">
          <span class="cb-quiet-text">{edit.how === "scale" ? "times" : "strength"}</span>
          <Strength
            strength={strength}
            label={`Strength of ${edit.how} ${edit.site}; Enter sets it`}
            disabled={off}
            settled={props.settled}
            onSet={(wanted) => act.setStrength(index, wanted)}
          />
        </span>
      )}
    </li>
  );
}

interface EditsProps {
  state: BoardState;
  act: Actions;
  copying: Copying;
}

export function Edits({ state, act, copying }: EditsProps): JSX.Element {
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
            <Row
              key={index}
              edit={edit}
              index={index}
              last={edits.length - 1}
              off={off}
              unit={unit}
              settled={state.trouble}
              act={act}
            />
          ))}
        </ol>
      )}
      <div class="cb-row cb-edit-actions">
        <Button
          cb="copy-code"
          title="Copy Python that rebuilds this state"
          disabled={off}
          onClick={() => copying.copy("state")}
        >
          {copying.copied === "state" ? "Copied" : "Copy Python"}
        </Button>
        <Button
          cb="copy-step"
          title="Copy Python that takes the last step again on `board`"
          disabled={off || snapshot.history.nodes.length < 2}
          onClick={() => copying.copy("step")}
        >
          {copying.copied === "step" ? "Copied" : "Copy step"}
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
