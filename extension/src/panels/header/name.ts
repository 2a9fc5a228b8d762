// What metrics are called. Names are data: a board takes any.
import { tokenText } from "../../parts/token";

const LONGEST = 40;

const NAMES: Record<string, string> = {
  logit_diff: "logit difference",
  log_prob: "log probability",
  prob: "probability",
  kl: "KL divergence",
};

/** A metric's name for people. */
export function metricName(name: string): string {
  return NAMES[name] ?? tokenText(name.replaceAll("_", " "), LONGEST);
}
