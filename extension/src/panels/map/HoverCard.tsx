// What is known of the cell under the pointer or the focus.
import type { JSX } from "preact";
import { Icon } from "../../parts/icon";
import { direction, signed } from "../../parts/number";
import { Token } from "../../parts/token";
import type { EffectMap } from "../../protocol/decode";
import type { PromptRow } from "../../protocol/generated";
import { beforeAt, type CellEdit, effectAt, estimateAt, isByPosition } from "./cells";

interface HoverCardProps {
  map: EffectMap;
  spot: { row: number; column: number };
  name: string;
  prompt: PromptRow | undefined;
  prompts: number;
  unit: string;
  stale: boolean;
  edit: CellEdit | null;
  pitch: number;
  height: number;
  top: number;
  gutter: number;
  /** Decimals of the effect. */
  digits: number;
}

const CARD_HEIGHT = 46;

function knowledge(props: HoverCardProps, effect: number | null): JSX.Element {
  if (effect === null) return <span class="cb-quiet-text">not computed yet</span>;
  const { row, column } = props.spot;
  const exact = effectAt(props.map, row, column) !== null;
  if (!props.stale && !exact && estimateAt(props.map, row, column) !== null)
    return <span class="cb-quiet-text">approximate (AtP)</span>;
  if (props.stale || !exact) return <span class="cb-quiet-text">before the last step</span>;
  return (
    <span class="cb-badge">
      <Icon name="check" size={10} />
      exact
    </span>
  );
}

export function HoverCard(props: HoverCardProps): JSX.Element {
  const { map, spot, edit, pitch, height, top, gutter } = props;
  const { row, column } = spot;
  const effect =
    effectAt(map, row, column) ?? estimateAt(map, row, column) ?? beforeAt(map, row, column);
  const columns = map.shape[1] ?? 1;
  const middle = gutter + (spot.column + 0.5) * pitch;
  const cellTop = top + spot.row * height;
  // Above the cell where there is room, below in the first rows; never on the row itself.
  const above = cellTop > CARD_HEIGHT + 8;
  const vertical = above
    ? { bottom: `calc(100% - ${cellTop - 5}px)` }
    : { top: `${cellTop + height + 5}px` };
  const left = spot.column < columns / 2;
  const horizontal = left
    ? { left: `${middle - 24}px` }
    : { right: `calc(100% - ${middle + 24}px)` };
  const at = isByPosition(map.over) ? props.prompt?.columns[column] : undefined;
  const token = at?.padding === true ? undefined : at?.clean;
  return (
    <div
      class={`cb-tip cb-tip-${above ? "above" : "below"} cb-tip-${left ? "left" : "right"}`}
      role="tooltip"
      style={{ ...vertical, ...horizontal }}
    >
      <div class="cb-tip-line">
        <span>
          <span class="cb-strong">{props.name}</span>
          {token === undefined ? null : (
            <>
              {" "}
              <Token text={token} longest={16} />
            </>
          )}
        </span>
        {knowledge(props, effect)}
      </div>
      <div>
        {effect === null ? (
          <span class="cb-quiet-text">a click edits it all the same</span>
        ) : (
          <>
            <span class="cb-quiet-text">effect </span>
            <span class={`cb-strong ${direction(effect)}`}>
              {signed(effect, Math.max(3, props.digits))}
            </span>
            <span class="cb-quiet-text">
              {" "}
              {props.unit} (n={props.prompts})
            </span>
          </>
        )}
        {edit === null ? null : (
          <span class="cb-quiet-text">
            {" \u00b7 "}
            {edit.how}
            {edit.enabled ? "" : ", off"}
          </span>
        )}
      </div>
    </div>
  );
}
