// The states that the board was in, as a tree: what each step did to the metric, and the way to any of them.
import type { JSX, TargetedKeyboardEvent } from "preact";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { Button, IconButton } from "../../parts/controls";
import { useFrame } from "../../parts/frame";
import { signed } from "../../parts/number";
import type { BoardState } from "../../store/state";
import type { Actions } from "../actions";
import { Term } from "../help/Term";
import { linesWidth, type Range, rangeOf } from "./geometry";
import { Chart, Lines } from "./Lines";
import { lineOf } from "./lineage";
import { listed } from "./order";
import { Row } from "./Row";

function moved(key: string, at: number, rows: number): number | null {
  switch (key) {
    case "ArrowUp":
      return Math.max(0, at - 1);
    case "ArrowDown":
      return Math.min(rows - 1, at + 1);
    case "Home":
      return 0;
    case "End":
      return rows - 1;
    default:
      return null;
  }
}

function Heading({ state, act }: { state: BoardState; act: Actions }): JSX.Element {
  const { snapshot } = state;
  const off = !state.connected || snapshot === null;
  return (
    <div class="cb-sechead">
      <h3 class="cb-h">
        <Term name="history">History</Term>
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
      <Button
        cb="clear"
        title="Take every edit back (one step of undo)"
        disabled={off || snapshot.edits.length === 0}
        onClick={act.clear}
      >
        Clear
      </Button>
    </div>
  );
}

function Scale({ unit, range }: { unit: string; range: Range | null }): JSX.Element {
  return (
    <div class="cb-history-scale" aria-hidden="true">
      <span class="cb-quiet-text">{unit}</span>
      {range === null ? (
        <span class="cb-chart-ends" />
      ) : (
        <span class="cb-chart-ends">
          <span class={range.baselines ? "cb-neg" : "cb-quiet-text"}>{signed(range.low, 1)}</span>
          <span class={range.baselines ? "cb-pos" : "cb-quiet-text"}>{signed(range.high, 1)}</span>
        </span>
      )}
    </div>
  );
}

export function History({ state, act }: { state: BoardState; act: Actions }): JSX.Element | null {
  const list = useRef<HTMLDivElement>(null);
  const [focused, setFocused] = useState<number | null>(null);
  const [naming, setNaming] = useState<number | null>(null);
  const { snapshot, comparison } = state;
  const current = snapshot?.history.current ?? null;
  // The state that is shown is always in sight, without the page being moved.
  useFrame(() => {
    const box = list.current;
    const row = box?.querySelector<HTMLElement>('[aria-current="true"]')?.parentElement;
    if (box === null || row === null || row === undefined) return;
    const top = row.offsetTop;
    if (top < box.scrollTop) box.scrollTop = top;
    else if (top + row.offsetHeight > box.scrollTop + box.clientHeight)
      box.scrollTop = top + row.offsetHeight - box.clientHeight;
  }, [current]);
  const history = snapshot?.history ?? null;
  const baselines = snapshot?.metric.baselines ?? null;
  const unit = snapshot?.metric.unit ?? "";
  const off = !state.connected;
  const rows = useMemo(() => listed(history?.nodes ?? []), [history]);
  const line = useMemo(() => lineOf(history?.nodes ?? [], current ?? 0), [history]);
  const range = useMemo(
    () => (baselines === null ? null : rangeOf(baselines, rows)),
    [baselines, rows],
  );
  const stop = rows.some(({ node }) => node.id === focused) ? focused : current;
  // Whoever was looking at a name goes on from its row.
  const back = useRef<number | null>(null);
  useLayoutEffect(() => {
    if (naming !== null || back.current === null) return;
    list.current?.querySelector<HTMLElement>(`[data-node="${back.current}"]`)?.focus();
    back.current = null;
  }, [naming]);
  const drawn = useMemo(
    () =>
      rows.map((row) => {
        const { id } = row.node;
        return (
          <Row
            key={id}
            row={row}
            current={id === current}
            onLine={line.has(id)}
            compared={comparison !== null && (comparison.left === id || comparison.right === id)}
            stop={id === stop}
            off={off}
            unit={unit}
            naming={id === naming && !off}
            onRestore={() => act.restore(id)}
            onCompare={() => {
              if (current !== null && id !== current)
                act.compareStates({ left: id, right: current });
            }}
            onFocus={() => setFocused(id)}
            onName={() => setNaming(id)}
            onNamed={(note) => {
              back.current = id;
              setNaming(null);
              if (note !== null) act.note(id, note === "" ? null : note);
            }}
          />
        );
      }),
    [rows, current, line, comparison, stop, off, unit, naming, act],
  );
  if (snapshot === null || history === null || current === null) return null;
  const { nodes, omitted } = history;
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLElement>): void => {
    const at = rows.findIndex(({ node }) => node.id === stop);
    const to = moved(event.key, at, rows.length);
    const next = to === null ? undefined : rows[to];
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    list.current?.querySelector<HTMLElement>(`[data-node="${next.node.id}"]`)?.focus();
  };
  const alone = nodes.length < 2;
  return (
    <section class="cb-sec" aria-label="History">
      <Heading state={state} act={act} />
      <div class="cb-row cb-history-actions">
        <Button
          cb="compare-clean"
          title="The first state and the current one side by side: metric, tokens, prompts and maps"
          disabled={off || current === 0}
          onClick={() => act.compareStates({ left: 0, right: current })}
        >
          Compare with {nodes[0]?.label ?? "the first state"}
        </Button>
        <IconButton
          cb="note"
          icon="pencil"
          label="Name the current state (F2)"
          disabled={off || alone}
          onClick={() => setNaming(current)}
        />
      </div>
      <Scale unit={unit} range={range} />
      <div class="cb-history" ref={list} style={{ "--cb-lines": `${linesWidth(rows)}px` }}>
        <div class="cb-history-body">
          <Lines rows={rows} current={current} line={line} />
          <ol class="cb-states" data-cb="history" onKeyDown={onKeyDown}>
            {drawn}
          </ol>
          {range === null ? null : (
            <Chart rows={rows} current={current} line={line} range={range} />
          )}
        </div>
      </div>
      {omitted > 0 ? (
        <p class="cb-note">
          {omitted} older {omitted === 1 ? "state is" : "states are"} not listed; undo still reaches
          them.
        </p>
      ) : null}
      {alone ? <p class="cb-hint">Every step is kept here; a click goes back.</p> : null}
    </section>
  );
}
