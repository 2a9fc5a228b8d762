// What is known of the cell under the pointer or the focus.

import type { JSX } from "preact";
import { Icon } from "../../../parts/icon";
import { decimals, direction, signed, withError } from "../../../parts/number";
import { Token } from "../../../parts/token";
import { ESTIMATED } from "../../../protocol/decode";
import type { PromptRow } from "../../../protocol/generated";
import { columnToken } from "../../prompts/column_token";
import { errorAt, kindAt, OLD, type Plane, valueAt } from "../look/plane";
import { type CellEdit, isByPosition } from "./cells";
import { type Geometry, GUTTER } from "./geometry";

interface HoverCardProps {
  plane: Plane;
  spot: { row: number; column: number };
  /** Where it is drawn. */
  at: { row: number; column: number };
  name: string;
  prompt: PromptRow | undefined;
  prompts: number;
  stale: boolean;
  edit: CellEdit | null;
  keptName: string | null;
  geometry: Geometry;
  /** Where the first column begins (px), which scrolling moves. */
  left: number;
}

const CARD_HEIGHT = 46;
const COMPARED_HEIGHT = 18;
const WIDEST = 320;
/** From the card's edge to its arrow. */
const ARROW = 24;

function knowledge({ plane, spot, stale }: HoverCardProps): JSX.Element {
  const kind = kindAt(plane, spot.row, spot.column);
  if (kind === 0) return <span class="cb-quiet-text">not computed yet</span>;
  if (plane.side !== "a" && (stale || kind === OLD))
    return <span class="cb-quiet-text">before the last step</span>;
  if (kind === ESTIMATED) return <span class="cb-quiet-text">approximate (AtP)</span>;
  return (
    <span class="cb-badge">
      <Icon name="check" size={10} />
      exact
    </span>
  );
}

const SIDES = { a: "effect in A ", b: "effect ", difference: "B \u2212 A " } as const;

function Effect({ plane, spot, prompts }: HoverCardProps): JSX.Element {
  const value = valueAt(plane, spot.row, spot.column);
  if (value === null) return <span class="cb-quiet-text">a click edits it all the same</span>;
  const digits = Math.max(3, decimals(plane.clip) + 1);
  return (
    <>
      <span class="cb-quiet-text">{SIDES[plane.side]}</span>
      <span class={`cb-strong ${direction(value)}`}>
        {withError(value, errorAt(plane, spot.row, spot.column), digits)}
      </span>
      <span class="cb-quiet-text">
        {" "}
        {plane.unit} (n={prompts})
      </span>
    </>
  );
}

/** The two numbers of a comparison beside the one that is drawn. */
function Others({ plane, spot, keptName }: HoverCardProps): JSX.Element | null {
  const { difference, factor, map } = plane;
  if (difference === null) return null;
  const i = spot.row * (map.shape[1] ?? 0) + spot.column;
  const digits = Math.max(3, decimals(plane.clip) + 1);
  const number = (x: number | undefined, known: number | undefined): string => {
    if (x === undefined || known === 0) return "\u2013";
    return `${known === ESTIMATED ? "\u2248" : ""}${signed(x * factor, digits)}`;
  };
  const sides = [
    ["a", `A ${keptName}`, number(difference.a[i], difference.knownA[i])],
    ["b", "B now", number(map.effect[i], map.known[i])],
    ["difference", "B \u2212 A", number(difference.effect[i], difference.known[i])],
  ] as const;
  return (
    <div class="cb-tip-sides">
      {sides
        .filter(([side]) => side !== plane.side)
        .map(([side, name, text]) => (
          <span key={side}>
            <span class="cb-quiet-text">{name}</span> {text}
          </span>
        ))}
    </div>
  );
}

export function HoverCard(props: HoverCardProps): JSX.Element {
  const { plane, spot, at, edit, geometry } = props;
  const { pitch, height, top, seen } = geometry;
  const edge = GUTTER + seen;
  const middle = Math.max(GUTTER, Math.min(edge, props.left + (at.column + 0.5) * pitch));
  const cellTop = top + at.row * height;
  // Above the cell where there is room, below in the first rows; never on the row itself.
  const needed = CARD_HEIGHT + (plane.difference === null ? 0 : COMPARED_HEIGHT);
  const above = cellTop > needed + 8;
  const vertical = above
    ? { bottom: `calc(100% - ${cellTop - 5}px)` }
    : { top: `${cellTop + height + 5}px` };
  // It grows to the side that has more room, and its arrow stays at the cell.
  const isLeft = middle < edge / 2;
  const from = isLeft ? Math.max(0, middle - ARROW) : Math.min(edge, middle + ARROW);
  const horizontal = {
    ...(isLeft ? { left: `${from}px` } : { right: `calc(100% - ${from}px)` }),
    maxWidth: `${Math.min(WIDEST, isLeft ? edge - from : from)}px`,
    "--cb-arrow": `${Math.max(3, Math.abs(middle - from) - 5)}px`,
  };
  const column = isByPosition(plane.map.over) ? props.prompt?.columns[spot.column] : undefined;
  const token = column === undefined || column.padding ? undefined : columnToken(column);
  return (
    <div
      class={`cb-tip cb-tip-${above ? "above" : "below"} cb-tip-${isLeft ? "left" : "right"}`}
      role="tooltip"
      style={{ ...vertical, ...horizontal }}
    >
      <div class="cb-tip-line">
        <span>
          <span class="cb-strong">{props.name}</span>
          {token === undefined ? null : (
            <>
              {" "}
              <Token {...token} longest={16} />
              {token.id === null ? null : <span class="cb-quiet-text">{` id ${token.id}`}</span>}
            </>
          )}
        </span>
        {knowledge(props)}
      </div>
      <div>
        <Effect {...props} />
        {edit === null ? null : (
          <span class="cb-quiet-text">
            {" \u00b7 "}
            {edit.how}
            {edit.enabled ? "" : ", off"}
          </span>
        )}
      </div>
      <Others {...props} />
    </div>
  );
}
