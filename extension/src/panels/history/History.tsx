// The states the board was in, with what each step did to the metric; one click goes back to any.
import type { JSX, TargetedKeyboardEvent } from "preact";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { attribute, direction, plain, signed } from "../../parts/number";
import { tokenText } from "../../parts/token";
import { realOrNull } from "../../protocol/decode";
import type { BoardState } from "../../store/state";
import type { Actions } from "../actions";
import { type Listed, listed } from "./order";

/** Characters of a step in words, at most. */
const LONGEST = 80;
/** Deeper branches are not indented further: the words need the room (px a branch, branches). */
const INDENT = 12;
const DEEPEST = 5;

interface RowProps {
  row: Listed;
  current: boolean;
  stop: boolean;
  off: boolean;
  unit: string;
  onRestore(): void;
  onFocus(): void;
}

function Row({ row, current, stop, off, unit, onRestore, onFocus }: RowProps): JSX.Element {
  const { node, depth, parent } = row;
  const value = realOrNull(node.value);
  const before = parent === null ? null : realOrNull(parent.value);
  const change = value === null || before === null ? null : value - before;
  const label = tokenText(node.label, LONGEST);
  const number =
    change !== null ? signed(change) : value !== null && parent === null ? plain(value) : "";
  const words = [
    label,
    change !== null ? `change ${signed(change)} ${unit}` : "",
    value === null ? "metric not known" : `metric ${plain(value)} ${unit}`,
    depth > 0 ? "on another branch" : "",
    current ? "shown now" : "Enter restores it",
  ];
  return (
    <li>
      <button
        type="button"
        class="cb-node"
        data-cb="history-node"
        data-node={node.id}
        data-value={value === null ? "" : attribute(value)}
        data-change={change === null ? "" : attribute(change)}
        data-depth={depth}
        aria-current={current}
        aria-label={words.filter((word) => word !== "").join(", ")}
        title={`${label}${value === null ? "" : `: ${signed(value, 4)} ${unit}`}`}
        tabIndex={stop ? 0 : -1}
        disabled={off}
        style={{ paddingLeft: `${6 + INDENT * Math.min(DEEPEST, depth)}px` }}
        onClick={onRestore}
        onFocus={onFocus}
      >
        <span class="cb-node-mark" aria-hidden="true">
          {current ? "\u25cf" : depth > 0 ? "\u2514" : "\u25cb"}
        </span>
        <bdi class="cb-node-label">{label}</bdi>
        <span class={change === null ? "cb-quiet-text" : direction(change)}>{number}</span>
      </button>
    </li>
  );
}

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

export function History({ state, act }: { state: BoardState; act: Actions }): JSX.Element | null {
  const list = useRef<HTMLOListElement>(null);
  const [focused, setFocused] = useState<number | null>(null);
  const { snapshot } = state;
  const current = snapshot?.history.current ?? null;
  // The state that is shown is always in sight, without the page being moved.
  useLayoutEffect(() => {
    const box = list.current;
    const row = box?.querySelector<HTMLElement>('[aria-current="true"]');
    if (box === null || row === null || row === undefined) return;
    const top = row.offsetTop;
    if (top < box.scrollTop) box.scrollTop = top;
    else if (top + row.offsetHeight > box.scrollTop + box.clientHeight)
      box.scrollTop = top + row.offsetHeight - box.clientHeight;
  }, [current]);
  const history = snapshot?.history ?? null;
  const unit = snapshot?.metric.unit ?? "";
  const off = !state.connected;
  const rows = useMemo(() => listed(history?.nodes ?? []), [history]);
  const stop = rows.some(({ node }) => node.id === focused) ? focused : current;
  // Maps arrive many times a second, and change nothing here.
  const lines = useMemo(
    () =>
      rows.map((row) => (
        <Row
          key={row.node.id}
          row={row}
          current={row.node.id === current}
          stop={row.node.id === stop}
          off={off}
          unit={unit}
          onRestore={() => act.restore(row.node.id)}
          onFocus={() => setFocused(row.node.id)}
        />
      )),
    [rows, current, stop, off, unit, act],
  );
  if (snapshot === null || history === null) return null;
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
  return (
    <section class="cb-sec" aria-label="History">
      <div class="cb-sechead">
        <h3 class="cb-h">
          History
          <span class="cb-quiet-text cb-plain"> change in {unit}</span>
        </h3>
      </div>
      <ol class="cb-history" data-cb="history" ref={list} onKeyDown={onKeyDown}>
        {lines}
      </ol>
      {omitted > 0 ? (
        <p class="cb-note">
          {omitted} older {omitted === 1 ? "state is" : "states are"} not listed; undo still reaches
          them.
        </p>
      ) : null}
      {nodes.length < 2 ? <p class="cb-hint">Every step is kept here; a click goes back.</p> : null}
    </section>
  );
}
