// Two states of the history side by side: left, change, right.
import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { Button, IconButton } from "../../parts/controls";
import { tokenText } from "../../parts/token";
import type { HistoryNode } from "../../protocol/generated";
import { isCurrent, lacksComparison, wantsMaps } from "../../store/comparison";
import { type BoardState, shownView } from "../../store/state";
import type { Actions } from "../actions";
import type { Palette } from "../map/look/colour";
import { Maps } from "./Maps";
import { Sides } from "./Sides";
import { Prompts, Tokens } from "./Tables";

const LONGEST = 40;

function nameOf({ id, label, note }: HistoryNode, current: number): string {
  return `${id}: ${tokenText(note ?? label, LONGEST)}${id === current ? " (now)" : ""}`;
}

interface ChoiceProps {
  cb: string;
  label: string;
  value: number;
  nodes: readonly HistoryNode[];
  current: number;
  off: boolean;
  onChoose(node: number): void;
}

function Choice({ cb, label, value, nodes, current, off, onChoose }: ChoiceProps): JSX.Element {
  const listed = nodes.some(({ id }) => id === value);
  return (
    <label class="cb-two-choice">
      <span class="cb-quiet-text">{label}</span>
      <select
        class="cb-field"
        data-cb={cb}
        value={String(value)}
        disabled={off}
        onChange={(event) => onChoose(Number(event.currentTarget.value))}
      >
        {listed ? null : <option value={String(value)}>{value}: not listed any more</option>}
        {nodes.map((node) => (
          <option key={node.id} value={String(node.id)}>
            {nameOf(node, current)}
          </option>
        ))}
      </select>
    </label>
  );
}

interface CompareStatesProps {
  state: BoardState;
  act: Actions;
  palette: Palette;
}

export function CompareStates({ state, act, palette }: CompareStatesProps): JSX.Element | null {
  const { comparison, snapshot, connected, setup } = state;
  const view = shownView(state);
  const region = useRef<HTMLElement>(null);
  const open = comparison !== null;
  const wanted = comparison !== null && view !== null && wantsMaps(comparison, view);
  const lacks =
    comparison !== null &&
    snapshot !== null &&
    view !== null &&
    connected &&
    lacksComparison(comparison, snapshot, view);
  useLayoutEffect(() => {
    if (lacks) act.readComparison(wanted);
  }, [lacks, wanted, act]);
  // Whoever opened it looks at it next; whoever closes it goes on from where that was.
  useLayoutEffect(() => {
    if (!open) return undefined;
    const root = region.current?.closest(".cb-root");
    const before = root?.querySelector<HTMLElement>(":focus") ?? null;
    region.current?.scrollIntoView?.({ block: "nearest" });
    region.current?.querySelector<HTMLElement>("[data-cb='compare-left']")?.focus({
      preventScroll: true,
    });
    return () => before?.focus({ preventScroll: true });
  }, [open]);
  if (comparison === null || snapshot === null || view === null) return null;
  const { left, right, answer, failed } = comparison;
  const { nodes, current } = snapshot.history;
  const { unit } = snapshot.metric;
  const off = !connected;
  const old = answer !== null && !isCurrent(comparison, snapshot);
  const choose = (pair: { left: number; right: number }): void => act.compareStates(pair);
  return (
    <section
      class="cb-two"
      ref={region}
      aria-label="Two states compared"
      data-cb="compare-states"
      data-status={failed !== null ? "failed" : answer === null || old ? "reading" : "shown"}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.preventDefault();
        event.stopPropagation();
        act.compareStates(null);
      }}
    >
      <div class="cb-two-head">
        <h3 class="cb-h">Compare states</h3>
        <Choice
          cb="compare-left"
          label="Left"
          value={left}
          nodes={nodes}
          current={current}
          off={off}
          onChoose={(node) => choose({ left: node, right })}
        />
        <Button
          cb="compare-swap"
          label="Swap left and right"
          title="Swap left and right"
          disabled={off}
          onClick={() => choose({ left: right, right: left })}
        >
          {"\u21c4"}
        </Button>
        <Choice
          cb="compare-right"
          label="Right"
          value={right}
          nodes={nodes}
          current={current}
          off={off}
          onChoose={(node) => choose({ left, right: node })}
        />
        <IconButton
          cb="compare-states-close"
          icon="x"
          label="Close the comparison (Escape)"
          onClick={() => act.compareStates(null)}
        />
      </div>
      {failed === null ? null : (
        <p class="cb-row cb-hint" role="status">
          {failed.message}
          <Button cb="compare-again" disabled={off} onClick={() => act.readComparison(wanted)}>
            Try again
          </Button>
        </p>
      )}
      {answer === null ? (
        failed === null ? (
          <p class="cb-hint">Computing both states …</p>
        ) : null
      ) : (
        <div class={`cb-two-body${old ? " cb-two-old" : ""}`} aria-busy={old}>
          <div class="cb-two-three cb-two-titles" aria-hidden="true">
            <b>Left</b>
            <b>Right − left</b>
            <b>Right</b>
          </div>
          <Sides answer={answer} unit={unit} />
          <div class="cb-two-tables">
            <Tokens answer={answer} several={(setup?.prompts.length ?? 1) > 1} />
            <Prompts answer={answer} unit={unit} />
          </div>
          <Maps
            comparison={comparison}
            answer={answer}
            view={view}
            prompt={setup?.prompts[view.prompt]}
            unit={unit}
            palette={palette}
            off={off}
            onAsk={act.readComparison}
          />
        </div>
      )}
    </section>
  );
}
