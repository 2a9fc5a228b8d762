// A bar on either side of zero, on a scale that it shares with its neighbours.
import type { JSX } from "preact";
import { signed } from "../../parts/number";

/** Effects below this share of the metric, or of 1 where that is less, are rounding. */
const ROUNDING = 1e-5;

/** The size below which an effect on this metric is rounding. */
export function roundingOf(metric: number): number {
  return ROUNDING * Math.max(1, Number.isFinite(metric) ? Math.abs(metric) : 1);
}

/** An effect in words; what is left of rounding is said so. */
export function effectWords(effect: number, rounding: number): string {
  return effect !== 0 && Math.abs(effect) < rounding ? "\u2248 0" : signed(effect);
}

/**
 * The ends of a scale that holds zero and all finite values; never empty. Where all are smaller than
 * `least`, it reaches that far, so that next to nothing does not fill it.
 */
export function ends(values: readonly number[], least = 0): [number, number] {
  const finite = values.filter(Number.isFinite);
  const low = Math.min(0, ...finite);
  const high = Math.max(0, ...finite);
  if (low === 0 && high === 0) return [0, least > 0 ? least : 1];
  if (Math.max(-low, high) >= least) return [low, high];
  return -low > high ? [-least, high] : [low, least];
}

export function Bar({
  value,
  scale: [low, high],
}: {
  value: number;
  scale: readonly [number, number];
}): JSX.Element {
  const at = (x: number): number => (100 * (x - low)) / (high - low);
  const drawn = Number.isFinite(value) && value !== 0;
  return (
    <span class="cb-bar" aria-hidden="true">
      <span class="cb-bar-zero" style={{ left: `${at(0).toFixed(2)}%` }} />
      {drawn ? (
        <span
          class={`cb-bar-fill ${value < 0 ? "cb-neg-fill" : "cb-pos-fill"}`}
          style={{
            left: `${at(Math.min(0, value)).toFixed(2)}%`,
            width: `${(at(Math.abs(value)) - at(0)).toFixed(2)}%`,
          }}
        />
      ) : null}
    </span>
  );
}
