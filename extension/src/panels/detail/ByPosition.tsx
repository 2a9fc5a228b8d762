// What a head does at each position alone.

import type { JSX } from "preact";
import { Button } from "../../parts/controls";
import { attribute, direction, signed } from "../../parts/number";
import { tokenWords } from "../../parts/token";
import { real } from "../../protocol/decode";
import type { PositionEffects, PromptRow } from "../../protocol/generated";
import { columnToken } from "../prompts/column_token";
import { positionWords } from "../prompts/positions";
import { effectWords, ends, roundingOf } from "./Bar";

/** Positions up to which tokens without a label are named below. */
const NAMED = 10;

interface ByPositionProps {
  effects: PositionEffects | null;
  prompt: PromptRow | undefined;
  unit: string;
  /** The metric of the state, which says how large rounding is. */
  metric: number;
  /** It cannot be asked for now. */
  off: boolean;
  asking: boolean;
  onAsk(): void;
}

export function ByPosition(props: ByPositionProps): JSX.Element {
  const { effects, prompt, unit, metric } = props;
  if (effects === null) {
    return (
      <div class="cb-row cb-part-head">
        <h4 class="cb-h">Effect by position</h4>
        <span class="cb-quiet-text">one run a position</span>
        <span class="cb-grow" />
        <Button
          cb="detail-by-position"
          label="Compute the effect by position"
          title="Compute the effect of this head at each position: one run a position"
          disabled={props.off || props.asking}
          onClick={props.onAsk}
        >
          {props.asking ? "Computing\u2026" : "Compute"}
        </Button>
      </div>
    );
  }
  const rounding = roundingOf(metric);
  const places = effects.columns.flatMap((column, i) => {
    const at = prompt?.columns[column];
    if (at === undefined || at.padding) return [];
    const effect = real(effects.effects[i] ?? { value: null, special: "nan" });
    return [
      {
        column,
        effect,
        name: at.labels[0] === undefined ? null : tokenWords(at.labels[0], 9),
        token: columnToken(at).text,
      },
    ];
  });
  const drawn = places.map(({ effect }) => (Math.abs(effect) < rounding ? 0 : effect));
  const [low, high] = ends(drawn);
  const at = (x: number): number => (100 * (high - x)) / (high - low);
  const most = drawn.reduce(
    (best, x, i) => (Math.abs(x) > Math.abs(drawn[best] ?? 0) ? i : best),
    0,
  );
  return (
    <div class="cb-part">
      <h4 class="cb-h">
        Effect by position
        <span class="cb-quiet-text cb-plain">
          {" "}
          {unit}, {effects.how} there alone
        </span>
      </h4>
      <ol
        class="cb-places"
        aria-label={`Effect of ${effects.how} at each position alone, in ${unit}`}
      >
        {places.map(({ column, effect, name, token }, i) => {
          const value = drawn[i] ?? Number.NaN;
          const words = effectWords(effect, rounding);
          const finite = Number.isFinite(value);
          return (
            <li
              key={column}
              data-cb="position-effect"
              data-pos={column}
              data-effect={attribute(effect)}
              title={`${positionWords([column], prompt)} ${tokenWords(token, 16)}: ${signed(effect, 4)} ${unit}`}
            >
              <span class="cb-place" aria-hidden="true">
                <span class="cb-place-zero" style={{ top: `${at(0).toFixed(1)}%` }} />
                {finite && value !== 0 ? (
                  <span
                    class={`cb-place-fill ${value < 0 ? "cb-neg-fill" : "cb-pos-fill"}`}
                    style={{
                      top: `${at(Math.max(0, value)).toFixed(1)}%`,
                      height: `${((100 * Math.abs(value)) / (high - low)).toFixed(1)}%`,
                    }}
                  />
                ) : null}
              </span>
              <span
                class={
                  i === most && value !== 0
                    ? `cb-place-number cb-strong ${direction(value)}${2 * i < places.length ? "" : " cb-place-left"}`
                    : finite
                      ? "cb-hidden"
                      : "cb-place-number"
                }
              >
                {words}
              </span>
              <bdi class={`cb-place-name ${name === null ? "cb-quiet-text" : "cb-strong"}`}>
                {name === null
                  ? places.length <= NAMED
                    ? tokenWords(token, 6)
                    : ""
                  : tokenWords(name, 6)}
              </bdi>
            </li>
          );
        })}
      </ol>
    </div>
  );
}
