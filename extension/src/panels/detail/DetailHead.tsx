// The selected component by name: what is done to it, and the button that does or undoes it.
import type { JSX } from "preact";
import { Button, IconButton } from "../../parts/controls";
import { tokenText } from "../../parts/token";
import type { PromptRow } from "../../protocol/generated";
import type { Question } from "../../store/selection";
import { type BoardState, shownView } from "../../store/state";
import type { Actions } from "../actions";
import { siteTerm } from "../help/glossary";
import { Term } from "../help/Term";
import { positionWords } from "../prompts/positions";
import { columnWords } from "./column";
import { editWords, headOf, ownEdits, stateWords } from "./own_edits";

export function titleOf(site: string): string {
  return headOf(site) === null ? site : `Head ${site}`;
}

interface DetailHeadProps {
  state: BoardState;
  act: Actions;
  now: Question;
}

export function DetailHead({ state, act, now }: DetailHeadProps): JSX.Element {
  const { snapshot, setup, trace } = state;
  const view = shownView(state);
  const prompt: PromptRow | undefined = setup?.prompts[now.prompt];
  const own = ownEdits(snapshot?.edits ?? [], now);
  const several = (setup?.prompts.length ?? 1) > 1;
  const mode = view?.mode ?? "zero";
  const positions = now.position === null ? (view?.positions ?? null) : [now.position];
  const where =
    now.position !== null
      ? `at ${columnWords(now.position, prompt)}`
      : headOf(now.site) === null
        ? "where the answer is read"
        : null;
  const term = siteTerm(now.site);
  const back = trace !== null && trace.from.site !== now.site ? trace : null;
  return (
    <>
      {back === null ? null : (
        <button
          type="button"
          class="cb-link cb-back"
          data-cb="trace-back"
          onClick={() => act.select(back.from)}
        >
          {"\u2190"} back to the list of {tokenText(back.from.site, 40)}
        </button>
      )}
      <div class="cb-row cb-detail-head">
        <h3 class="cb-detail-name">
          {term === null ? titleOf(now.site) : <Term name={term}>{titleOf(now.site)}</Term>}
        </h3>
        {where === null ? null : <span class="cb-quiet-text">{where}</span>}
        {several ? <span class="cb-quiet-text">prompt {now.prompt + 1}</span> : null}
        <span
          class="cb-grow cb-quiet-text cb-detail-state"
          data-cb="detail-state"
          title={own.map(({ edit }) => tokenText(edit.what, 200)).join("; ")}
        >
          {stateWords(own)}
        </span>
        {own.length > 0 ? (
          <Button
            cb="detail-edit"
            look="line"
            label={`Restore ${tokenText(now.site, 80)}: remove ${own.length === 1 ? "its edit" : "its edits"}`}
            disabled={!state.connected}
            onClick={() =>
              act.remove(own.length === 1 ? (own[0]?.index ?? 0) : own.map(({ index }) => index))
            }
          >
            Restore
          </Button>
        ) : (
          <Button
            cb="detail-edit"
            look="line"
            label={`${editWords(mode)} ${tokenText(now.site, 80)} at ${positionWords(positions, prompt)}`}
            title={`At ${positionWords(positions, prompt)}`}
            disabled={!state.connected}
            onClick={() => act.click(now.site, positions)}
          >
            {editWords(mode)}
          </Button>
        )}
        <IconButton
          cb="detail-close"
          icon="x"
          label="Close the detail"
          onClick={() => act.select(null)}
        />
      </div>
    </>
  );
}
