// The metric prompt by prompt: who moved most, and who stands out. A click on a row shows that prompt.
import type { JSX, TargetedKeyboardEvent } from "preact";
import { useMemo, useState } from "preact/hooks";
import { Icon } from "../../parts/icon";
import { attribute, direction, signed } from "../../parts/number";
import type { PromptRow, Setup, Snapshot } from "../../protocol/generated";
import { type BoardState, shownView } from "../../store/state";
import type { Actions } from "../actions";
import { metricName } from "../header/name";
import type { Fences } from "./outliers";
import {
  type Column,
  inOrder,
  LARGEST,
  type PerPrompt as Numbers,
  type Order,
  perPrompt,
  type Row,
  rangeOf,
  reordered,
} from "./rows";
import { promptText } from "./text";
import { inSight, ROW } from "./window";

/** Rows that are drawn before all are asked for. */
const FIRST = 8;

const HEADS: readonly { by: Column; text: string; title: string }[] = [
  { by: "prompt", text: "prompt", title: "Sort by place in the data set" },
  { by: "base", text: "base", title: "The metric without edits; sort by it" },
  { by: "value", text: "now", title: "The metric with the edits in force; sort by it" },
  { by: "change", text: "change", title: "Now minus base; sort by its size" },
];

function Head({ order, onSort }: { order: Order; onSort(by: Column): void }): JSX.Element {
  return (
    <thead>
      <tr>
        {HEADS.map(({ by, text, title }) => {
          const sorted = order.by === by;
          return (
            <th
              scope="col"
              key={by}
              aria-sort={sorted ? (order.descending ? "descending" : "ascending") : "none"}
            >
              <button
                type="button"
                class="cb-sort"
                data-cb="prompt-sort"
                data-value={by}
                title={title}
                onClick={() => onSort(by)}
              >
                {text}
                <span aria-hidden="true">
                  {sorted ? (order.descending ? " \u25be" : " \u25b4") : ""}
                </span>
              </button>
            </th>
          );
        })}
        <th scope="col">
          <span class="cb-hidden">stands out</span>
        </th>
      </tr>
    </thead>
  );
}

/** What makes a prompt stand out, in words. */
function outlierTitle(change: number, fences: Fences | null): string {
  if (!Number.isFinite(change) || fences === null) return "The change is not finite.";
  return `Outside Tukey's fences: the change is more than 1.5 interquartile ranges beyond the quartiles of all prompts (${signed(fences.low)} to ${signed(fences.high)}).`;
}

interface LineProps {
  row: Row;
  prompt: PromptRow | undefined;
  run: "clean" | "corrupted";
  fences: Fences | null;
  /** Its place in the order, for tables of which not every row is drawn. */
  place: number;
  shown: boolean;
  stop: boolean;
  disabled: boolean;
  onShow(): void;
}

function Line(props: LineProps): JSX.Element {
  const { row, prompt, shown, fences } = props;
  const text = prompt === undefined ? "" : promptText(prompt, props.run);
  return (
    <tr
      class={shown ? "cb-pp-shown" : ""}
      data-cb="prompt-row"
      data-prompt={row.prompt}
      data-value={attribute(row.value)}
      data-base={attribute(row.base)}
      data-change={attribute(row.change)}
      data-outlier={row.outlier}
      aria-rowindex={props.place + 2}
      onClick={props.disabled ? undefined : props.onShow}
    >
      <th scope="row">
        <button
          type="button"
          class="cb-pp-name"
          aria-current={shown}
          aria-label={`Show prompt ${row.prompt + 1}: ${text}`}
          title={text}
          tabIndex={props.stop ? 0 : -1}
          disabled={props.disabled}
        >
          <span class="cb-pp-number">{row.prompt + 1}</span> <bdi class="cb-pp-text">{text}</bdi>
        </button>
      </th>
      <td>{signed(row.base)}</td>
      <td>{signed(row.value)}</td>
      <td class={direction(row.change)}>{signed(row.change)}</td>
      <td class="cb-pp-mark">
        {row.outlier ? (
          <span class="cb-warn" title={outlierTitle(row.change, fences)}>
            <span aria-hidden="true">{"\u25c6 "}</span>
            outlier
          </span>
        ) : null}
      </td>
    </tr>
  );
}

/** The height of the rows that are not drawn. */
function Gap({ rows }: { rows: number }): JSX.Element | null {
  if (rows === 0) return null;
  return (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: nothing in it can be focused.
    <tr class="cb-pp-gap" aria-hidden="true">
      <td colSpan={HEADS.length + 1} style={{ height: `${rows * ROW}px` }} />
    </tr>
  );
}

function onArrows(event: TargetedKeyboardEvent<HTMLElement>): void {
  const step = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
  if (step === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  const names = [...event.currentTarget.querySelectorAll<HTMLElement>(".cb-pp-name")];
  const at = names.indexOf(event.target as HTMLElement);
  names[Math.max(0, Math.min(names.length - 1, at + step))]?.focus();
}

interface TableProps {
  setup: Setup;
  snapshot: Snapshot;
  numbers: Numbers;
  shown: number;
  all: boolean;
  connected: boolean;
  act: Actions;
}

function Table(props: TableProps): JSX.Element {
  const { setup, snapshot, numbers, shown, all, connected, act } = props;
  const [order, setOrder] = useState(LARGEST);
  const [scrolled, setScrolled] = useState(0);
  const rows = useMemo(() => inOrder(numbers.rows, order), [numbers, order]);
  const { from, to } = all
    ? inSight(rows.length, scrolled)
    : { from: 0, to: Math.min(FIRST, rows.length) };
  const drawn = rows.slice(from, to);
  const stop = drawn.some(({ prompt }) => prompt === shown) ? shown : drawn[0]?.prompt;
  return (
    <div
      class={`cb-pp-box${all ? " cb-pp-all" : ""}`}
      onScroll={(event) => setScrolled(event.currentTarget.scrollTop)}
    >
      <table class="cb-pp" aria-label="Metric by prompt" aria-rowcount={rows.length + 1}>
        <Head order={order} onSort={(by) => setOrder(reordered(order, by))} />
        <tbody onKeyDown={onArrows}>
          <Gap rows={all ? from : 0} />
          {drawn.map((row, i) => (
            <Line
              key={row.prompt}
              row={row}
              prompt={setup.prompts[row.prompt]}
              run={snapshot.base}
              fences={numbers.fences}
              place={from + i}
              shown={row.prompt === shown}
              stop={row.prompt === stop}
              disabled={!connected}
              onShow={() => act.setView({ prompt: row.prompt })}
            />
          ))}
          <Gap rows={all ? rows.length - to : 0} />
        </tbody>
      </table>
    </div>
  );
}

function outlierWords(n: number): string {
  return n === 0 ? "no outliers" : `${n} ${n === 1 ? "outlier" : "outliers"}`;
}

/** The whole table in one line: where the prompts lie, or how far the edits moved them. */
function summary({ rows }: Numbers, edited: boolean): string {
  const range = rangeOf(rows.map(({ change, value }) => (edited ? change : value)));
  const what = edited ? "change" : "from";
  return `${rows.length} prompts${range === null ? "" : `, ${what} ${signed(range[0])} to ${signed(range[1])}`}`;
}

/** How much of the table is drawn. A closed one is one line, which leaves the board as it was. */
type Extent = "line" | "first" | "all";

export function PerPrompt({ state, act }: { state: BoardState; act: Actions }): JSX.Element | null {
  const { setup, snapshot } = state;
  const [extent, setExtent] = useState<Extent>("line");
  const metric = snapshot?.metric;
  const numbers = useMemo(() => (metric === undefined ? null : perPrompt(metric)), [metric]);
  const view = shownView(state);
  if (setup === null || snapshot === null || view === null || numbers === null) return null;
  const n = numbers.rows.length;
  if (n < 2) return null;
  const open = extent !== "line";
  return (
    <section class="cb-per-prompt" aria-label="By prompt">
      <div class="cb-sechead">
        <h3 class="cb-h">
          <button
            type="button"
            class="cb-disclose"
            data-cb="per-prompt"
            aria-expanded={open}
            onClick={() => setExtent(open ? "line" : "first")}
          >
            <Icon name={open ? "down" : "right"} size={12} />
            By prompt
            <span class="cb-quiet-text cb-plain">
              {metricName(snapshot.metric.name)} in {snapshot.metric.unit}
            </span>
          </button>
        </h3>
        <span class="cb-quiet-text cb-pp-summary">
          {summary(
            numbers,
            snapshot.edits.some(({ enabled }) => enabled),
          )}
        </span>
        <span class="cb-grow" />
        <span
          class={numbers.outliers > 0 ? "cb-warn" : "cb-quiet-text"}
          data-cb="outliers"
          data-value={numbers.outliers}
        >
          {outlierWords(numbers.outliers)}
        </span>
        {n > FIRST ? (
          <button
            type="button"
            class="cb-link"
            data-cb="prompts-all"
            aria-expanded={extent === "all"}
            onClick={() => setExtent(extent === "all" ? "first" : "all")}
          >
            {extent === "all" ? `show ${FIRST} rows` : `show all ${n} rows`}
          </button>
        ) : null}
      </div>
      {open ? (
        <Table
          setup={setup}
          snapshot={snapshot}
          numbers={numbers}
          shown={view.prompt}
          all={extent === "all"}
          connected={state.connected}
          act={act}
        />
      ) : null}
    </section>
  );
}
