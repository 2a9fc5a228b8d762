// One standard error to either side of the end of a bar that grows from the middle.
import type { JSX } from "preact";

interface WhiskerProps {
  effect: number;
  error: number | null;
  /** The |effect| whose bar fills its half. */
  most: number;
}

export function Whisker({ effect, error, most }: WhiskerProps): JSX.Element | null {
  if (error === null || !(error > 0) || !(most > 0)) return null;
  const at = (x: number): number => 50 + 50 * Math.max(-1, Math.min(1, x / most));
  const [from, to] = [at(effect - error), at(effect + error)];
  return (
    <span
      class="cb-whisker"
      style={{ left: `${from.toFixed(1)}%`, width: `${(to - from).toFixed(1)}%` }}
    />
  );
}
