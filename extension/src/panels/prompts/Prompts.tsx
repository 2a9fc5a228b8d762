// The tokens of both runs, column by column; a click says where edits act.
import type { JSX, TargetedKeyboardEvent } from "preact";
import { useRef, useState } from "preact/hooks";
import { IconButton } from "../../parts/controls";
import { Answer, Token, tokenWords } from "../../parts/token";
import type { PromptRow, Setup, TokenColumn, View } from "../../protocol/generated";
import type { Actions } from "../actions";
import { range, type Selection, toggleAlone, toggleIn } from "./selection";

/** How many columns on the left hold no token of this prompt. */
export function paddingOf(prompt: PromptRow | undefined): number {
  return prompt?.columns.filter((column) => column.padding).length ?? 0;
}

/** Positions as people name them: by label where there is one, else counted in the prompt's own tokens. */
export function positionWords(positions: Selection, prompt: PromptRow | undefined): string {
  if (positions === null) return "all positions";
  const padding = paddingOf(prompt);
  const words = positions
    .filter((p) => prompt?.columns[p]?.padding !== true)
    .map((p) => prompt?.columns[p]?.labels[0] ?? String(p - padding));
  return words.length === 0 ? "no token of this prompt" : words.join(", ");
}

interface ColumnProps {
  column: TokenColumn;
  /** Its place in the token tensor. */
  at: number;
  /** The same, counted in the prompt's own tokens. */
  position: number;
  selected: boolean;
  stop: boolean;
  disabled: boolean;
}

function Column({ column, at, position, selected, stop, disabled }: ColumnProps): JSX.Element {
  const { clean, corrupted, differs, labels } = column;
  if (column.padding)
    return <span class="cb-tok cb-padding" data-cb="padding" aria-hidden="true" />;
  const words = [
    `position ${position}${labels.length > 0 ? `, ${labels.join(", ")}` : ""}: ${corrupted === null ? "" : "clean "}${tokenWords(clean)}`,
    corrupted === null ? "" : `, corrupted ${tokenWords(corrupted)}`,
    differs ? ", differs" : "",
  ].join("");
  return (
    <button
      type="button"
      class={`cb-tok${differs ? " cb-diff" : ""}`}
      data-cb="token"
      data-pos={at}
      aria-pressed={selected}
      aria-label={words}
      tabIndex={stop ? 0 : -1}
      disabled={disabled}
    >
      <span class="cb-tok-index">
        {labels.map((label) => (
          <span class="cb-tag" key={label}>
            {tokenWords(label, 10)}
          </span>
        ))}
        {position}
      </span>
      <span class="cb-tok-clean">
        <Token text={clean} />
      </span>
      {corrupted === null ? null : (
        <span class="cb-tok-corrupted">
          <Token text={corrupted} />
        </span>
      )}
    </button>
  );
}

/** The position of the token under an event, or null. */
function positionUnder(target: EventTarget | null): number | null {
  const token = target instanceof Element ? target.closest<HTMLElement>('[data-cb="token"]') : null;
  return token === null ? null : Number(token.dataset.pos);
}

interface Drag {
  from: number;
  kept: Selection;
  moved: boolean;
}

interface StripProps {
  prompt: PromptRow;
  selected: Selection;
  disabled: boolean;
  onSelect(positions: number[] | null): void;
}

function Strip({ prompt, selected, disabled, onSelect }: StripProps): JSX.Element {
  const drag = useRef<Drag | null>(null);
  const [dragged, setDragged] = useState<Selection | undefined>(undefined);
  const [stop, setStop] = useState(0);
  const shown = dragged === undefined ? selected : dragged;
  const first = paddingOf(prompt);
  const last = prompt.columns.length - 1;

  const finish = (): void => {
    const { current } = drag;
    drag.current = null;
    if (current?.moved === true && dragged !== undefined)
      onSelect(dragged === null ? null : [...dragged]);
    setDragged(undefined);
  };
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLElement>): void => {
    const position = positionUnder(event.target);
    if (position === null) return;
    const to = { ArrowRight: position + 1, ArrowLeft: position - 1, Home: first, End: last }[
      event.key
    ];
    if (to === undefined) {
      if (event.key === "Escape" && selected !== null) {
        event.stopPropagation();
        onSelect(null);
      }
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    const next = Math.max(first, Math.min(last, to));
    setStop(next);
    event.currentTarget.querySelector<HTMLElement>(`[data-pos="${next}"]`)?.focus();
    if (event.shiftKey) onSelect(range(position, next, selected));
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a toolbar of toggles, not a form's fieldset.
    <div
      class="cb-toks"
      role="group"
      aria-label="Tokens; select the positions where edits act"
      onKeyDown={onKeyDown}
      onPointerDown={(event) => {
        const from = positionUnder(event.target);
        if (from === null || event.button !== 0 || disabled) return;
        drag.current = {
          from,
          kept: event.ctrlKey || event.metaKey ? selected : null,
          moved: false,
        };
      }}
      onPointerOver={(event) => {
        const to = positionUnder(event.target);
        const { current } = drag;
        if (current === null || to === null || (event.buttons & 1) === 0) return;
        if (to !== current.from) current.moved = true;
        if (current.moved) setDragged(range(current.from, to, current.kept));
      }}
      onPointerUp={() => {
        if (drag.current?.moved === true) finish();
      }}
      onPointerLeave={finish}
      onPointerCancel={finish}
      onClick={(event) => {
        const position = positionUnder(event.target);
        drag.current = null;
        if (position === null) return;
        setStop(position);
        if (event.shiftKey) onSelect(range(stop, position));
        else
          onSelect((event.ctrlKey || event.metaKey ? toggleIn : toggleAlone)(selected, position));
      }}
    >
      {prompt.columns.map((column, position) => (
        <Column
          key={position}
          column={column}
          at={position}
          position={position - first}
          selected={shown?.includes(position) ?? false}
          stop={position === Math.max(first, Math.min(stop, last))}
          disabled={disabled}
        />
      ))}
    </div>
  );
}

interface PromptsProps {
  setup: Setup;
  view: View;
  connected: boolean;
  act: Actions;
}

export function Prompts({ setup, view, connected, act }: PromptsProps): JSX.Element | null {
  const prompt = setup.prompts[view.prompt];
  if (prompt === undefined) return null;
  const n = setup.prompts.length;
  const paired = prompt.columns.some((column) => column.corrupted !== null);
  return (
    <section class="cb-prompts" aria-label="Prompts">
      <div class="cb-strip">
        <div class="cb-runs">
          <span />
          <span class="cb-pos cb-strong">clean</span>
          {paired ? <span class="cb-neg cb-strong">corrupted</span> : null}
        </div>
        <Strip
          key={view.prompt}
          prompt={prompt}
          selected={view.positions}
          disabled={!connected}
          onSelect={(positions) => act.setView({ positions })}
        />
      </div>
      <div class="cb-meta">
        {n > 1 ? (
          <span class="cb-row cb-pager">
            <span class="cb-quiet-text">
              prompt {view.prompt + 1} of {n}
            </span>
            <IconButton
              icon="left"
              cb="prompt-previous"
              label="Previous prompt ([)"
              disabled={!connected || view.prompt === 0}
              onClick={() => act.setView({ prompt: view.prompt - 1 })}
            />
            <IconButton
              icon="right"
              cb="prompt-next"
              label="Next prompt (])"
              disabled={!connected || view.prompt === n - 1}
              onClick={() => act.setView({ prompt: view.prompt + 1 })}
            />
          </span>
        ) : (
          <span class="cb-quiet-text">one prompt</span>
        )}
        <span>
          <span class="cb-quiet-text">answer </span>
          <b class="cb-pos">
            <Answer text={prompt.answer} longest={20} />
          </b>
          {prompt.wrong === null ? null : (
            <>
              <span class="cb-quiet-text"> against </span>
              <b class="cb-neg">
                <Answer text={prompt.wrong} longest={20} />
              </b>
            </>
          )}
        </span>
        {view.positions === null ? (
          <span class="cb-quiet-text">edits act at all positions</span>
        ) : (
          <span>
            <span class="cb-quiet-text">edits act at </span>
            <span class="cb-strong">{positionWords(view.positions, prompt)}</span>
            <span class="cb-quiet-text"> {"\u00b7"} </span>
            <button
              type="button"
              class="cb-link"
              data-cb="positions-all"
              disabled={!connected}
              onClick={() => act.setView({ positions: null })}
            >
              all
            </button>
          </span>
        )}
      </div>
    </section>
  );
}
