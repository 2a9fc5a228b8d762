// Which numbers stand out, by the rule of `board.per_prompt()`.

/** How many interquartile ranges outside the quartiles a number stands out (Tukey 1977). */
const FENCE = 1.5;

/** Numbers that have quartiles. */
const FEWEST = 4;

/** The rounding of float32, in which the kernel computes, with room: it makes nothing stand out. */
const ROUNDING = 64 * 2 ** -23;

/** What lies outside stands out. */
export interface Fences {
  low: number;
  high: number;
}

// Between the two numbers around it, linearly.
function quantile(sorted: Float64Array, q: number): number {
  const rank = q * (sorted.length - 1);
  const below = sorted[Math.floor(rank)] ?? Number.NaN;
  const above = sorted[Math.ceil(rank)] ?? Number.NaN;
  return below + (rank - Math.floor(rank)) * (above - below);
}

/** Tukey's fences of the finite ones; null where they are too few to have quartiles. */
export function fencesOf(numbers: readonly number[]): Fences | null {
  const sorted = Float64Array.from(numbers.filter(Number.isFinite)).sort();
  if (sorted.length < FEWEST) return null;
  const [low, high] = [quantile(sorted, 0.25), quantile(sorted, 0.75)];
  const most = Math.max(Math.abs(sorted[0] ?? 0), Math.abs(sorted.at(-1) ?? 0));
  const margin = FENCE * (high - low) + ROUNDING * most;
  return { low: low - margin, high: high + margin };
}

/** Whether a number lies outside; what is not finite does, whatever the others are. */
export function isOutlier(x: number, fences: Fences | null): boolean {
  return !Number.isFinite(x) || (fences !== null && (x < fences.low || x > fences.high));
}
