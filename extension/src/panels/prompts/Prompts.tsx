// The tokens of both runs, column by column; a click says where edits act.
import type { JSX, RefObject, TargetedKeyboardEvent } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { IconButton } from "../../parts/controls";
import { Answer } from "../../parts/token";
import { useWidth } from "../../parts/width";
import type { PromptRow, Setup, View } from "../../protocol/generated";
import { type BoardState, shownView } from "../../store/state";
import type { Actions } from "../actions";
import { Term } from "../help/Term";
import { Columns } from "./Columns";
import { paddingOf, positionWords } from "./positions";
import { type Positions, range, toggleAlone, toggleIn } from "./selection";

/** The position of the token under an event, or null. */
function positionUnder(target: EventTarget | null): number | null {
  const token = target instanceof Element ? target.closest<HTMLElement>('[data-cb="token"]') : null;
  return token === null ? null : Number(token.dataset.pos);
}

interface Drag {
  from: number;
  base: Positions;
  moved: boolean;
}

interface StripProps {
  prompt: PromptRow;
  /** Each token is drawn above the corrupted one. */
  paired: boolean;
  selected: Positions;
  disabled: boolean;
  onSelect(positions: number[] | null): void;
}

function Strip({ prompt, paired, selected, disabled, onSelect }: StripProps): JSX.Element {
  const drag = useRef<Drag | null>(null);
  const [dragged, setDragged] = useState<Positions | undefined>(undefined);
  const [stop, setStop] = useState(0);
  const marked = dragged === undefined ? selected : dragged;
  const first = paddingOf(prompt);
  const last = prompt.columns.length - 1;

  const list = useRef<HTMLDivElement>(null);
  // Of a long prompt the part is shown where the runs differ.
  useLayoutEffect(() => {
    const box = list.current;
    const differing = box?.querySelector<HTMLElement>(".cb-diff");
    if (box === null || differing === null || differing === undefined) return;
    const below = differing.offsetTop + differing.offsetHeight - box.offsetTop - box.clientHeight;
    if (below > 0) box.scrollTop = below;
  }, []);

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
      ref={list}
      class="cb-toks"
      role="group"
      aria-label={`Tokens${paired ? ", clean and then corrupted" : ""}; select the positions where edits act`}
      onKeyDown={onKeyDown}
      onPointerDown={(event) => {
        const from = positionUnder(event.target);
        if (from === null || event.button !== 0 || disabled) return;
        drag.current = {
          from,
          base: event.ctrlKey || event.metaKey ? selected : null,
          moved: false,
        };
      }}
      onPointerOver={(event) => {
        const to = positionUnder(event.target);
        const { current } = drag;
        if (current === null || to === null || (event.buttons & 1) === 0) return;
        if (to !== current.from) current.moved = true;
        if (current.moved) setDragged(range(current.from, to, current.base));
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
      <Columns
        prompt={prompt}
        first={first}
        selected={marked}
        stop={Math.max(first, Math.min(stop, last))}
        disabled={disabled}
      />
    </div>
  );
}

export function Prompts({ state, act }: { state: BoardState; act: Actions }): JSX.Element | null {
  const { setup, connected } = state;
  const view = shownView(state);
  // The room of two rows of tokens: nothing below moves when they come.
  if (setup === null || view === null) return <div class="cb-prompts cb-prompts-blank" />;
  return <PromptStrip setup={setup} view={view} connected={connected} act={act} />;
}

interface PromptStripProps {
  setup: Setup;
  view: View;
  connected: boolean;
  act: Actions;
}

/** Keep the room of the tallest prompt at this width: turning the pages moves nothing below. */
function useSteadyHeight(prompt: number, width: number): RefObject<HTMLDivElement | null> {
  const ref = useRef<HTMLDivElement>(null);
  const tallest = useRef({ width, height: 0 });
  useLayoutEffect(() => {
    const box = ref.current;
    if (box === null) return;
    box.style.minHeight = "";
    const before = tallest.current.width === width ? tallest.current.height : 0;
    tallest.current = { width, height: Math.max(before, box.offsetHeight) };
    box.style.minHeight = `${tallest.current.height}px`;
  }, [prompt, width]);
  return ref;
}

function PromptStrip({ setup, view, connected, act }: PromptStripProps): JSX.Element | null {
  const [section, width] = useWidth<HTMLElement>(0);
  const strip = useSteadyHeight(view.prompt, width);
  const prompt = setup.prompts[view.prompt];
  if (prompt === undefined) return null;
  const n = setup.prompts.length;
  const paired = prompt.columns.some((column) => column.corrupted !== null);
  return (
    <section class="cb-prompts" aria-label="Prompts" ref={section}>
      <div class="cb-strip" ref={strip}>
        <div class="cb-runs">
          <span />
          <span class="cb-pos cb-strong">
            <Term name="clean">clean</Term>
          </span>
          {paired ? (
            <span class="cb-neg cb-strong">
              <Term name="corrupted">corrupted</Term>
            </span>
          ) : null}
        </div>
        <Strip
          key={view.prompt}
          prompt={prompt}
          paired={paired}
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
            <Answer tokens={prompt.answer} longest={20} />
          </b>
          {prompt.wrong === null ? null : (
            <>
              <span class="cb-quiet-text"> against </span>
              <b class="cb-neg">
                <Answer tokens={prompt.wrong} longest={20} />
              </b>
            </>
          )}
        </span>
        {view.positions === null ? (
          <span class="cb-quiet-text">
            edits act at <Term name="positions">all positions</Term>
          </span>
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
