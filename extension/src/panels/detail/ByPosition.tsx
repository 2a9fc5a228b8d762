// What a head does at each position alone.
import type { JSX } from "preact";
import { Button } from "../../parts/controls";
import { attribute, decimals, signed } from "../../parts/number";
import type { Theme } from "../../parts/theme";
import { tokenWords } from "../../parts/token";
import { real } from "../../protocol/decode";
import type { PositionEffects, PromptRow } from "../../protocol/generated";
import { colourOf, inkOn } from "../map/colour";
import { positionWords } from "../prompts/Prompts";

/** Effects below this share of the metric, or of 1 where that is less, are rounding: they get no colour. */
const ROUNDING = 1e-5;

interface ByPositionProps {
  effects: PositionEffects | null;
  prompt: PromptRow | undefined;
  unit: string;
  /** The metric of the state, which says how large rounding is. */
  metric: number;
  theme: Theme;
  /** It cannot be asked for now. */
  off: boolean;
  asking: boolean;
  onAsk(): void;
}

export function ByPosition(props: ByPositionProps): JSX.Element {
  const { effects, prompt, unit, metric, theme } = props;
  if (effects === null) {
    return (
      <div class="cb-row cb-ask">
        <Button
          cb="detail-by-position"
          look="line"
          title="Compute the effect of this head at each position: one run a position"
          disabled={props.off || props.asking}
          onClick={props.onAsk}
        >
          {props.asking ? "Computing\u2026" : "Effect by position"}
        </Button>
        <span class="cb-quiet-text">takes one run a position</span>
      </div>
    );
  }
  const values = effects.effects.map(real);
  const rounding = ROUNDING * Math.max(1, Number.isFinite(metric) ? Math.abs(metric) : 1);
  const clip = values.reduce((a, x) => Math.max(a, Number.isFinite(x) ? Math.abs(x) : 0), rounding);
  return (
    <div class="cb-part">
      <h4 class="cb-h">
        By position
        <span class="cb-quiet-text cb-plain">
          {" "}
          effect of {effects.how} at one position, in {unit}
        </span>
      </h4>
      <ol class="cb-places">
        {effects.columns.map((column, i) => {
          const at = prompt?.columns[column];
          if (at === undefined || at.padding) return null;
          const effect = values[i] ?? Number.NaN;
          const nothing = Math.abs(effect) < rounding;
          const fill = Number.isFinite(effect) ? colourOf(nothing ? 0 : effect, clip, theme) : null;
          const label = at.labels[0];
          return (
            <li
              key={column}
              data-cb="position-effect"
              data-pos={column}
              data-effect={attribute(effect)}
              title={`position ${positionWords([column], prompt)}: ${signed(effect, 4)} ${unit}`}
            >
              <span
                class="cb-place"
                style={fill === null ? {} : { backgroundColor: fill, color: inkOn(fill) }}
              >
                {nothing
                  ? effect === 0
                    ? "0"
                    : "\u2248 0"
                  : signed(effect, Math.max(2, decimals(clip)))}
              </span>
              <bdi class="cb-small cb-quiet-text">{tokenWords(label ?? at.clean, 8)}</bdi>
            </li>
          );
        })}
      </ol>
    </div>
  );
}
