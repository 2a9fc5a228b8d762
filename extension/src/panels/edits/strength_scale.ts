// From where to where a strength's slider goes.

/** Ends of a slider: the first that a strength does not lie beyond. */
const ENDS = [2, 5, 10, 20, 50, 100, 200, 500, 1000];
/** Steps from one end to the other. */
const STEPS = 200;

export interface Span {
  min: number;
  max: number;
  step: number;
}

/** A scale's slider starts at 0 where it can: a factor is rarely negative. What is added may well be. */
export function spanOf(how: string, strength: number): Span {
  const size = Math.abs(strength);
  const max = ENDS.find((end) => end >= size) ?? 10 ** Math.ceil(Math.log10(size));
  const min = how === "scale" && strength >= 0 ? 0 : -max;
  return { min, max, step: (max - min) / STEPS };
}
