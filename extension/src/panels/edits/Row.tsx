// One edit: a switch, what it does, its effect and a way back; while edits are arranged, a box to mark it.
import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { IconButton, Switch } from "../../parts/controls";
import { Icon } from "../../parts/icon";
import { attribute, direction, signed } from "../../parts/number";
import { tokenText } from "../../parts/token";
import { realOrNull } from "../../protocol/decode";
import type { EditRow } from "../../protocol/generated";
import type { Actions } from "../actions";
import { isTerm } from "../help/glossary";
import { Name, NameField } from "./Name";
import { receiptWords } from "./receipt";
import type { Reorder } from "./reorder";
import { Strength } from "./Strength";

/** Characters of an edit in words, at most. */
const LONGEST = 120;

/** Edits whose strength, values or seed only the whole sentence tells. */
const SAID_IN_FULL = new Set(["add", "set", "freeze", "resample"]);

/** What stands before and after the first `word` of a text; null after where it has none. */
function parted(text: string, word: string): [before: string, after: string | null] {
  const at = text.indexOf(word);
  return at < 0 ? [text, null] : [text.slice(0, at), text.slice(at + word.length)];
}

function What({ edit }: { edit: EditRow }): JSX.Element {
  const at = <span class="cb-quiet-text"> @ {tokenText(edit.at, LONGEST)}</span>;
  if (edit.name !== null)
    return (
      <>
        <b>
          <bdi>{tokenText(edit.name, LONGEST)}</bdi>
        </b>
        <span class="cb-quiet-text">
          {" "}
          {edit.site} {edit.how}
        </span>
        {at}
      </>
    );
  // The sentence names the positions too, where it names any.
  if (SAID_IN_FULL.has(edit.how)) {
    const [before, after] = parted(tokenText(edit.what, LONGEST), edit.site);
    return (
      <>
        {before}
        <b>{after === null ? "" : edit.site}</b>
        {after}
        {edit.positions === null ? at : null}
      </>
    );
  }
  return (
    <>
      <b>{edit.site}</b> <span data-term={isTerm(edit.how) ? edit.how : undefined}>{edit.how}</span>
      {at}
    </>
  );
}

/** What `What` draws, in words. */
function drawnWords(edit: EditRow): string {
  const at = ` @ ${tokenText(edit.at, LONGEST)}`;
  if (edit.name === null && SAID_IN_FULL.has(edit.how))
    return `${tokenText(edit.what, LONGEST)}${edit.positions === null ? at : ""}`;
  const name = edit.name === null ? "" : `${tokenText(edit.name, LONGEST)} `;
  return `${name}${tokenText(edit.site, LONGEST)} ${edit.how}${at}`;
}

/** The effect, or the last one that is known, in grey, while it is computed anew. */
export function Effect({ effect, on }: { effect: number | null; on: boolean }): JSX.Element {
  const last = useRef<number | null>(null);
  if (effect !== null || !on) last.current = effect;
  if (effect !== null)
    return <span class={`cb-effect ${direction(effect)}`}>{signed(effect)}</span>;
  const old = last.current === null ? "\u2026" : signed(last.current);
  return <span class="cb-effect cb-quiet-text">{on ? old : "off"}</span>;
}

export interface RowProps {
  edit: EditRow;
  index: number;
  last: number;
  off: boolean;
  unit: string;
  settled: unknown;
  /** Whether it is marked; null while edits are not arranged. */
  marked: boolean | null;
  reorder: Reorder;
  act: Actions;
  onMark(): void;
  onSelect(): void;
}

/** For the mouse; the keys, and the buttons of Arrange, do the same for everybody. */
function Handle({ index, off, reorder }: RowProps): JSX.Element {
  return (
    <span
      class="cb-handle"
      data-cb="edit-handle"
      aria-hidden="true"
      title="Drag to let it act earlier or later (Alt-↑, Alt-↓)"
      onPointerDown={(event) => {
        if (!off) reorder.start(index, event);
      }}
    >
      <Icon name="grip" />
    </span>
  );
}

/** Alt with an arrow moves an edit; the focus stays with it, whose row is drawn there next. */
function moveByKey(event: KeyboardEvent, { index, last, off, act }: RowProps): void {
  const step = event.altKey ? { ArrowUp: -1, ArrowDown: 1 }[event.key] : undefined;
  if (step === undefined || off) return;
  event.preventDefault();
  event.stopPropagation();
  const to = index + step;
  if (to < 0 || to > last) return;
  const list = (event.currentTarget as HTMLElement).closest("ol.cb-edits");
  act.move(index, to);
  list
    ?.querySelector<HTMLElement>(`[data-cb="edit"][data-index="${to}"] [data-cb="edit-name"]`)
    ?.focus();
}

function Order({ edit, index, last, off, act }: RowProps): JSX.Element {
  const move = (from: HTMLElement, to: number): void => {
    const list = from.closest("ol.cb-edits");
    act.move(index, to);
    // The focus stays with the edit, whose row is drawn there next.
    const name = to === 0 ? "edit-down" : to === last ? "edit-up" : from.dataset.cb;
    const row = list?.querySelector(`[data-cb="edit"][data-index="${to}"]`);
    row?.querySelector<HTMLElement>(`[data-cb="${name}"]`)?.focus();
  };
  return (
    <span class="cb-edit-order">
      <IconButton
        cb="edit-up"
        icon="up"
        label={`Let ${tokenText(edit.site, LONGEST)} act earlier`}
        disabled={off || index === 0}
        onClick={(event) => move(event.currentTarget, index - 1)}
      />
      <IconButton
        cb="edit-down"
        icon="down"
        label={`Let ${tokenText(edit.site, LONGEST)} act later`}
        disabled={off || index === last}
        onClick={(event) => move(event.currentTarget, index + 1)}
      />
    </span>
  );
}

function Mark({ edit, marked, onMark }: RowProps): JSX.Element {
  return (
    <input
      type="checkbox"
      class="cb-check"
      data-cb="edit-mark"
      aria-label={`Mark edit ${tokenText(edit.site, LONGEST)}`}
      checked={marked === true}
      onChange={onMark}
    />
  );
}

export function Row(props: RowProps): JSX.Element {
  const { edit, index, last, off, unit, act, marked, reorder } = props;
  const [naming, setNaming] = useState(false);
  const effect = realOrNull(edit.effect);
  const strength = realOrNull(edit.strength);
  const nothing = edit.enabled && realOrNull(edit.norm_change) === 0;
  const { dragged } = reorder;
  const drop =
    dragged === null || dragged.to !== index || dragged.index === index
      ? ""
      : dragged.index < index
        ? " cb-drop-after"
        : " cb-drop-before";
  const words = tokenText(edit.what, LONGEST);
  return (
    <li
      class={`cb-edit${edit.enabled ? "" : " cb-edit-off"}${drop}`}
      data-cb="edit"
      data-index={index}
      data-site={edit.site}
      data-how={edit.how}
      data-effect={effect === null ? "" : attribute(effect)}
      onKeyDown={(event) => moveByKey(event, props)}
    >
      {marked === null && last > 0 ? <Handle {...props} /> : null}
      {marked === null ? (
        <Switch
          cb="edit-toggle"
          label={`Use edit ${tokenText(edit.site, LONGEST)}`}
          on={edit.enabled}
          disabled={off}
          onClick={() => act.toggle(index)}
        />
      ) : (
        <Mark {...props} />
      )}
      {naming ? (
        <NameField
          name={edit.name ?? ""}
          label={`Name of ${words}; empty for none`}
          onEnd={(name) => {
            setNaming(false);
            if (name !== null) act.rename(index, name === "" ? null : name);
          }}
        />
      ) : (
        <Name
          cb="edit-name"
          class={`cb-edit-what${SAID_IN_FULL.has(edit.how) && edit.name === null ? " cb-edit-full" : ""}`}
          label={`${drawnWords(edit)}. Show it on the map`}
          title={`${words}. ${receiptWords(edit, unit)} Click shows it on the map, F2 names it.`}
          disabled={edit.kind === "edge" && off}
          renaming={!off}
          onClick={marked === null ? props.onSelect : props.onMark}
          onRename={() => setNaming(true)}
        >
          <What edit={edit} />
        </Name>
      )}
      {marked !== null ? (
        <Order {...props} />
      ) : nothing ? (
        <span class="cb-warn cb-effect">no change</span>
      ) : (
        <Effect effect={effect} on={edit.enabled} />
      )}
      {marked !== null ? null : (
        <IconButton
          cb="edit-remove"
          icon="x"
          label={`Remove edit ${tokenText(edit.site, LONGEST)}`}
          disabled={off}
          onClick={() => act.remove(index)}
        />
      )}
      {strength === null || marked !== null ? null : (
        <Strength
          strength={strength}
          how={edit.how}
          name={edit.site}
          disabled={off}
          settled={props.settled}
          onSet={(wanted) => act.setStrength(index, wanted)}
          onDrag={(wanted, drag) => act.dragStrength(index, wanted, drag)}
        />
      )}
    </li>
  );
}
