// What metrics are called. Names are data: a board takes any.
import { tokenText } from "../../parts/token";
import { CHARACTERS, METRICS } from "../../protocol/vocabulary.gen";

const NAMES: Readonly<Record<string, string>> = METRICS;

/** A metric's name for people. */
export function metricName(name: string): string {
  return NAMES[name] ?? tokenText(name.replaceAll("_", " "), CHARACTERS.metric);
}
