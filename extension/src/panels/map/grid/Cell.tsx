// One cell of a map. Its properties are plain values, so that a cell which did not change is not
// drawn again: a map of 1800 cells arrives many times a second while it fills in.
import { Component, type JSX } from "preact";
import { attribute } from "../../../parts/number";
import { ESTIMATED } from "../../../protocol/decode";
import type { MapOver } from "../../../store/state";
import { colourOf, inkOn, type Palette } from "../look/colour";
import { numberIn, OLD } from "../look/plane";
import { Glyph } from "./Glyph";

export interface CellProps {
  over: MapOver;
  row: number;
  column: number;
  layer: number;
  /** The head or neuron; null where a layer has one cell a position. */
  index: number | null;
  /** The effect in the live map, in the metric's unit; null while it is not computed. */
  effect: number | null;
  /** What it is estimated to be until it is computed; null when there is no estimate. */
  estimate: number | null;
  /** What is drawn; null for nothing. */
  value: number | null;
  /** What is known of `value`. */
  kind: number;
  /** It is strong enough to carry its number. */
  numbered: boolean;
  /** The way the map is looked at hides it. */
  sunk: boolean;
  clip: number;
  stale: boolean;
  palette: Palette;
  /** What the edit on it does, "" when it has none. */
  how: string;
  enabled: boolean;
  pending: boolean;
  /** The detail region is about it. */
  chosen: boolean;
  /** Characters that fit; 0 for none. */
  room: number;
  stop: boolean;
  disabled: boolean;
  label: string;
  /** Where it is, above a painted map. */
  place?: { left: string; top: string; width: string };
  /** Its column in words of ARIA, counted from 1, where not every cell is there to be counted. */
  number?: number;
}

function samePlace(a: CellProps["place"], b: CellProps["place"]): boolean {
  return a?.left === b?.left && a?.top === b?.top && a?.width === b?.width;
}

function content(props: CellProps): JSX.Element | string | null {
  const { how, enabled, clip, value } = props;
  if (how !== "") return enabled ? <Glyph how={how} /> : null;
  if (value === null || props.sunk) return null;
  if (Number.isFinite(value) && (props.pending || !props.numbered)) return null;
  return numberIn(value, clip, props.room);
}

function hooksOf({ over, column, index }: CellProps): Record<string, string | number | null> {
  switch (over) {
    case "head":
      return { "data-head": index };
    case "head_pos":
      return { "data-site": over, "data-head": index, "data-pos": column };
    case "neuron":
      return { "data-site": over, "data-index": index, "data-rank": column };
    default:
      return { "data-site": over, "data-pos": column };
  }
}

export class Cell extends Component<CellProps> {
  override shouldComponentUpdate(next: CellProps): boolean {
    const now = this.props;
    return (Object.keys(next) as (keyof CellProps)[]).some((key) =>
      key === "place" ? !samePlace(now.place, next.place) : !Object.is(now[key], next[key]),
    );
  }

  render(props: CellProps): JSX.Element {
    const { over, row, column, effect, estimate, value, kind, how } = props;
    const finite = value !== null && Number.isFinite(value);
    const fill = finite && !props.sunk ? colourOf(value, props.clip, props.palette) : null;
    const classes = ["cb-cell"];
    if (value === null) classes.push("cb-unknown");
    else if (props.sunk) classes.push("cb-sunk");
    else if (!finite) classes.push("cb-not-finite");
    else if (value === 0 && how === "") classes.push("cb-none");
    if (value !== null && kind === OLD) classes.push("cb-stale");
    else if (kind === ESTIMATED && !props.sunk) classes.push("cb-approximate");
    if (how !== "") classes.push(props.enabled ? "cb-edited" : "cb-edited cb-dashed");
    if (props.pending) classes.push("cb-in-flight cb-dashed");
    if (props.chosen) classes.push("cb-chosen");
    return (
      // biome-ignore lint/a11y/useSemanticElements: an ARIA grid of toggles; a table has no such cells.
      // biome-ignore lint/a11y/useFocusableInteractive: the button inside takes the focus.
      <div role="gridcell" class="cb-slot" aria-colindex={props.number} style={props.place}>
        <button
          type="button"
          class={classes.join(" ")}
          data-cb={over === "head" ? "head" : "cell"}
          data-layer={props.layer}
          {...hooksOf(props)}
          data-row={row}
          data-column={column}
          data-effect={effect === null ? "" : attribute(effect)}
          data-estimate={estimate === null ? undefined : attribute(estimate)}
          aria-pressed={how !== ""}
          aria-current={props.chosen ? "true" : undefined}
          aria-label={props.label}
          tabIndex={props.stop ? 0 : -1}
          disabled={props.disabled}
          style={fill === null ? {} : { backgroundColor: fill, color: inkOn(fill) }}
        >
          {content(props)}
        </button>
      </div>
    );
  }
}
