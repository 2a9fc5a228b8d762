// Where numbers fall on the bar between the baselines.

/** Room beyond the baselines, as a share of their distance, before a number is drawn at the end. */
const MARGIN = 0.12;

export interface Domain {
  low: number;
  high: number;
}

/** The ends of the bar: both baselines, or zero and the clean value, with room beyond. */
export function domainOf(clean: number, corrupted: number | null): Domain | null {
  const other = corrupted ?? 0;
  if (!Number.isFinite(clean) || !Number.isFinite(other)) return null;
  const low = Math.min(clean, other);
  const high = Math.max(clean, other);
  const room = high > low ? (high - low) * MARGIN : Math.max(1, Math.abs(high)) * 0.5;
  return { low: low - room, high: high + room };
}

export type Beyond = "below" | "above" | null;

/** A number's place from 0 to 1, and on which side it falls off the bar, if it does. */
export function place(x: number, { low, high }: Domain): { at: number; beyond: Beyond } {
  const at = (x - low) / (high - low);
  if (at < 0) return { at: 0, beyond: "below" };
  return at > 1 ? { at: 1, beyond: "above" } : { at, beyond: null };
}

/** Where the numbers of the prompts fall, one a pixel: the first there stands for those beneath it. */
export function rugOf(
  values: readonly number[],
  domain: Domain,
  width: number,
): { prompt: number; x: number; at: number }[] {
  const taken = new Map<number, { prompt: number; x: number; at: number }>();
  for (const [prompt, x] of values.entries()) {
    if (!Number.isFinite(x)) continue;
    const { at, beyond } = place(x, domain);
    const pixel = Math.round(at * width);
    if (beyond === null && !taken.has(pixel)) taken.set(pixel, { prompt, x, at });
  }
  return [...taken.values()];
}
