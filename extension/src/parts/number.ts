// Numbers as words: a true minus, a sign on every effect, and names for what is not finite.
// The kernel's pictures and pages have the same rules (protocol/wording.py); tests/protocol/words.json holds them together.
import { HUGE, MINUS, SMALLEST_SHARE } from "../protocol/vocabulary.gen";

function special(x: number): string | null {
  if (Number.isNaN(x)) return "nan";
  if (x === Number.POSITIVE_INFINITY) return "+\u221e";
  return x === Number.NEGATIVE_INFINITY ? `${MINUS}\u221e` : null;
}

function exponential(size: number, digits: number): string {
  return size.toExponential(digits).replace("-", MINUS).replace("e+", "e");
}

/** `+1.42`, `−0.23`, `0.00`, `nan`, `−∞`; what is huge or would round to nothing has an exponent. */
export function signed(x: number, digits = 2): string {
  const name = special(x);
  if (name !== null) return name;
  const size = Math.abs(x);
  if (size === 0) return size.toFixed(digits);
  const sign = x < 0 ? MINUS : "+";
  if (size < 0.5 * 10 ** -digits) return sign + exponential(size, 0);
  return sign + (size < HUGE ? size.toFixed(digits) : exponential(size, digits));
}

/** Without a sign for positive numbers. */
export function plain(x: number, digits = 2): string {
  return signed(x, digits).replace(/^\+/, "");
}

/** "−1.83 ± 0.12": an effect with its standard error, where it has one. */
export function withError(effect: number, error: number | null, digits = 2): string {
  return error === null || Number.isNaN(error)
    ? signed(effect, digits)
    : `${signed(effect, digits)} \u00b1 ${plain(error, digits)}`;
}

/** With its first letter in upper case. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Decimals that tell the numbers of a scale of ±clip apart: one from 1, two from 0.1, … */
export function decimals(clip: number): number {
  if (!(clip > 0)) return 2;
  return Math.max(1, Math.min(6, 1 - Math.floor(Math.log10(clip * 1.05))));
}

/** For a cell: as few digits as its scale needs. */
export function inCell(x: number, clip: number): string {
  return signed(x, decimals(clip));
}

/** "−.16" for "−0.16", where that does not fit. */
export function withoutZero(number: string): string {
  return number.replace(/^([^\d])0\./, "$1.");
}

/** A number as an attribute: every digit, or "nan", "inf", "-inf". */
export function attribute(x: number): string {
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x > 0 ? "inf" : "-inf";
  return String(x);
}

/** `41.5%`; less than a tenth of a percent is said so. */
export function percent(p: number): string {
  if (!Number.isFinite(p)) return "nan";
  return p > 0 && p < SMALLEST_SHARE ? "<0.1%" : `${(100 * p).toFixed(1)}%`;
}

/** Milliseconds as people say them. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return "";
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  return ms < 59_950 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`;
}

/** Which of the two colours of text a change takes. */
export function direction(x: number): "cb-pos" | "cb-neg" | "" {
  if (Number.isNaN(x) || x === 0) return "";
  return x < 0 ? "cb-neg" : "cb-pos";
}
