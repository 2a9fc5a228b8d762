// How sure a mean over prompts is, in words.
import { plain, signed } from "../../parts/number";
import { realOrNull } from "../../protocol/decode";
import type { MetricView } from "../../protocol/generated";

/** The error bars of a metric; null for a single prompt. Not finite where a prompt's number is not. */
export interface ErrorBars {
  n: number;
  stderr: number;
  low: number;
  high: number;
}

export function errorBars(metric: MetricView): ErrorBars | null {
  const [stderr, low, high] = [metric.stderr, metric.low, metric.high].map(realOrNull);
  if (typeof stderr !== "number" || typeof low !== "number" || typeof high !== "number")
    return null;
  return { n: metric.values.length, stderr, low, high };
}

/** `± 0.22`; nothing where it is not finite, since the number beside it says so. */
export function plusMinus({ stderr }: ErrorBars, digits: number): string {
  return Number.isFinite(stderr) ? `\u00b1 ${plain(stderr, digits)}` : "";
}

/** The formulas, for whoever asks. */
export function errorBarsTitle({ n, stderr, low, high }: ErrorBars, unit: string): string {
  if (!Number.isFinite(stderr))
    return `No error bars: not every one of the ${n} numbers is finite.`;
  return [
    `Mean over n = ${n} prompts, ${unit}.`,
    `Standard error s/\u221an = ${plain(stderr, 4)}.`,
    `95 % interval of the mean ${signed(low, 4)} to ${signed(high, 4)}: percentile bootstrap, 1000 resamples of the n = ${n} prompts.`,
  ].join(" ");
}
