// One cell of a map. Its properties are plain values, so that a cell which did not change is not
// drawn again: a map of 1800 cells arrives many times a second while it fills in.
import { Component, type JSX } from "preact";
import { attribute, inCell } from "../../parts/number";
import type { Theme } from "../../parts/theme";
import type { MapOver } from "../../store/state";
import { hasNumber } from "./cells";
import { colourOf, inkOn } from "./colour";
import { Glyph } from "./Glyph";

export interface CellProps {
  over: MapOver;
  row: number;
  column: number;
  layer: number;
  /** The head or neuron; null where a layer has one cell a position. */
  index: number | null;
  /** null while it is not computed. */
  effect: number | null;
  /** What it is estimated to be, drawn until it is computed; null when there is no estimate. */
  estimate: number | null;
  /** What it was before the last step, drawn until something newer is known; null when there is nothing. */
  old: number | null;
  clip: number;
  stale: boolean;
  theme: Theme;
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
}

function same(a: number | null, b: number | null): boolean {
  return Object.is(a, b);
}

function content(props: CellProps): JSX.Element | string | null {
  const { how, enabled, clip } = props;
  const effect = props.effect ?? props.estimate ?? props.old;
  if (how !== "") return enabled ? <Glyph how={how} /> : null;
  if (effect === null) return null;
  if (Number.isNaN(effect)) return "nan";
  if (!Number.isFinite(effect)) return effect > 0 ? "+\u221e" : "\u2212\u221e";
  // A number reads as exact, so an estimate has none.
  const estimated = props.effect === null && props.estimate !== null;
  if (props.pending || estimated || !hasNumber(effect, clip)) return null;
  const text = inCell(effect, clip);
  return text.length <= props.room ? text : null;
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
      key === "effect" || key === "estimate" || key === "old"
        ? !same(now[key], next[key])
        : now[key] !== next[key],
    );
  }

  render(props: CellProps): JSX.Element {
    const { over, row, column, effect, estimate, how } = props;
    const drawn = effect ?? estimate ?? props.old;
    const finite = drawn !== null && Number.isFinite(drawn);
    const fill = finite ? colourOf(drawn, props.clip, props.theme) : null;
    const classes = ["cb-cell"];
    if (drawn === null) classes.push("cb-unknown");
    else if (!finite) classes.push("cb-not-finite");
    else if (drawn === 0 && how === "") classes.push("cb-none");
    const unknown = effect === null && estimate === null;
    if (drawn !== null && (props.stale || unknown)) classes.push("cb-stale");
    else if (estimate !== null) classes.push("cb-approximate");
    if (how !== "") classes.push(props.enabled ? "cb-edited" : "cb-edited cb-dashed");
    if (props.pending) classes.push("cb-in-flight cb-dashed");
    if (props.chosen) classes.push("cb-chosen");
    return (
      // biome-ignore lint/a11y/useSemanticElements: an ARIA grid of toggles; a table has no such cells.
      // biome-ignore lint/a11y/useFocusableInteractive: the button inside takes the focus.
      <div role="gridcell" class="cb-slot">
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
