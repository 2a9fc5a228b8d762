// Numbers as the kernel sends them, and where the invented ones come from.
import type { Real } from "../src/protocol/generated";

/** A number as the kernel sends it. */
export function toReal(x: number): Real {
  if (Number.isFinite(x)) return { value: x, special: null };
  return { value: null, special: Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf" };
}

/** Invented numbers that are the same in every run. */
export function noise(seed: number): number {
  const x = Math.sin(seed * 12.9898 + 4.137) * 43758.5453;
  return (x - Math.floor(x) - 0.5) * 0.35;
}

/** Error bars, which a single prompt has not. */
export function errorBars(value: number, stderr: number, n: number) {
  const bars = (x: number) => (n > 1 ? toReal(x) : null);
  return {
    stderr: bars(stderr),
    low: bars(value - 1.96 * stderr),
    high: bars(value + 1.96 * stderr),
  };
}
