// The tree of states as lines, and their numbers as a chart: drawn behind the rows, which say the same in words.
import type { JSX } from "preact";
import { realOrNull } from "../../protocol/decode";
import { CHART, columnX, linePath, linesWidth, pointOf, type Range, ROW, rowY } from "./geometry";
import type { Listed } from "./order";

interface LinesProps {
  rows: readonly Listed[];
  current: number;
  /** States on the way to the one that is shown. */
  line: ReadonlySet<number>;
}

type Places = ReadonlyMap<number, { row: number; depth: number }>;

function placesOf(rows: readonly Listed[]): Places {
  return new Map(rows.map(({ node, depth }, row) => [node.id, { row, depth }]));
}

export function Lines({ rows, current, line }: LinesProps): JSX.Element {
  const places = placesOf(rows);
  const width = linesWidth(rows);
  const lines: JSX.Element[] = [];
  const onTop: JSX.Element[] = [];
  const points: JSX.Element[] = [];
  rows.forEach(({ node, depth, parent }, row) => {
    const on = line.has(node.id);
    const from = parent === null ? undefined : places.get(parent.id);
    if (from !== undefined)
      (on ? onTop : lines).push(
        <path
          key={`line ${node.id}`}
          class={on ? "cb-way" : "cb-branch"}
          d={linePath(from, { row, depth })}
        />,
      );
    points.push(
      <circle
        key={node.id}
        class={node.id === current ? "cb-way-now" : on ? "cb-way" : "cb-branch"}
        cx={columnX(depth)}
        cy={rowY(row)}
        r={node.id === current ? 4.5 : 3.5}
      />,
    );
  });
  return (
    <svg class="cb-lines" width={width} height={ROW * rows.length} aria-hidden="true">
      {lines}
      {onTop}
      {points}
    </svg>
  );
}

interface ChartProps extends LinesProps {
  range: Range;
}

export function Chart({ rows, line, range }: ChartProps): JSX.Element {
  const places = placesOf(rows);
  const height = ROW * rows.length;
  const drawn = rows.map(({ node }) => pointOf(realOrNull(node.value), range));
  const strokes: JSX.Element[] = [];
  const points: JSX.Element[] = [];
  rows.forEach(({ node, parent }, row) => {
    const here = drawn[row];
    if (here === null || here === undefined) return;
    const on = line.has(node.id);
    const from = parent === null ? undefined : places.get(parent.id);
    const there = from === undefined ? null : drawn[from.row];
    if (from !== undefined && there !== null && there !== undefined)
      strokes.push(
        <path
          key={`line ${node.id}`}
          class={on ? "cb-way" : "cb-branch cb-dashed"}
          d={`M${there.x} ${rowY(from.row)}L${here.x} ${rowY(row)}`}
        />,
      );
    const y = rowY(row);
    points.push(
      here.beyond === 0 ? (
        <circle
          key={node.id}
          class={on ? "cb-way-now" : "cb-branch"}
          cx={here.x}
          cy={y}
          r={on ? 2.5 : 2.25}
        />
      ) : (
        // An arrow: it lies further out than the chart goes.
        <path
          key={node.id}
          class={on ? "cb-way-now" : "cb-branch"}
          d={`M${here.x + 3 * here.beyond} ${y}l${-5 * here.beyond} -3v6z`}
        />
      ),
    );
  });
  const ends = [pointOf(range.low, range)?.x ?? 0, pointOf(range.high, range)?.x ?? CHART];
  return (
    <svg class="cb-chart" width={CHART} height={height} aria-hidden="true">
      {ends.map((x) => (
        <path key={x} class="cb-chart-end" d={`M${x} 0V${height}`} />
      ))}
      {strokes}
      {points}
    </svg>
  );
}
