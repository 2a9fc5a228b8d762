// The names of rows and columns. Only the columns that are seen have one.
import type { ComponentChildren, JSX } from "preact";
import { tokenWords } from "../../../parts/token";
import type { PromptRow } from "../../../protocol/generated";
import { CHARACTERS, MAPS } from "../../../protocol/vocabulary.gen";
import type { Lines, Spot } from "../look/lines";
import { columnNames } from "../words/column_names";
import { type Axes, isByPosition, layerOf } from "./cells";
import type { Geometry } from "./geometry";

/** The name of a column: a head, a rank, a position's label or token. */
export function columnText(axes: Axes, column: number, prompt: PromptRow | undefined): string {
  if (axes.over === "head") return String(column);
  if (!isByPosition(axes.over)) return String(column + 1);
  const at = prompt?.columns[column];
  const tag = at?.labels[0];
  if (tag !== undefined) return tokenWords(tag, CHARACTERS.column);
  return prompt === undefined ? "" : (columnNames(prompt, CHARACTERS.column)[column] ?? "");
}

interface ColumnLabelsProps {
  axes: Axes;
  lines: Lines;
  geometry: Geometry;
  /** First column that is seen, and one past the last. */
  seen: readonly [number, number];
  prompt: PromptRow | undefined;
  selected: readonly number[] | null;
  hover: Spot | null;
}

export function ColumnLabels(props: ColumnLabelsProps): JSX.Element {
  const { axes, lines, geometry, prompt, selected, hover } = props;
  const { pitch, every } = geometry;
  const byPosition = isByPosition(axes.over);
  const labels: ComponentChildren[] = [];
  const [from, to] = props.seen;
  for (let i = from; i < to; i += 1) {
    const column = lines.columns[i] ?? 0;
    const hovered = hover?.column === column;
    // Beside the number under the pointer there is no room for another.
    const near = hover === null ? undefined : lines.columnAt.get(hover.column);
    const crowded = every > 1 && near !== undefined && !hovered && Math.abs(i - near) < every;
    if (crowded || (i % every !== 0 && !hovered)) continue;
    const tagged = prompt?.columns[column]?.labels[0] !== undefined;
    const strong = hovered || (byPosition && (tagged || selected?.includes(column) === true));
    const text = columnText(axes, column, prompt);
    labels.push(
      <span
        key={column}
        class={`cb-axis${strong ? " cb-axis-on" : ""}`}
        style={{ left: `${i * pitch}px`, width: `${pitch}px` }}
      >
        {byPosition ? <span class="cb-slanted">{text}</span> : <span class="cb-flat">{text}</span>}
      </span>,
    );
  }
  return (
    <div class="cb-axis-row" aria-hidden="true">
      {labels}
    </div>
  );
}

interface RowLabelsProps {
  axes: Axes;
  lines: Lines;
  hover: Spot | null;
}

export function RowLabels({ axes, lines, hover }: RowLabelsProps): JSX.Element {
  const { over } = axes;
  return (
    <div class="cb-layers" aria-hidden="true">
      <span class="cb-axis-name-top">{MAPS[over].columns}</span>
      <span class="cb-axis-name-side">{MAPS[over].rows}</span>
      {lines.rows.map((row) => (
        <span key={row} class={`cb-axis${hover?.row === row ? " cb-axis-on" : ""}`}>
          {over === "head_pos" ? row : layerOf(axes, row)}
        </span>
      ))}
    </div>
  );
}
