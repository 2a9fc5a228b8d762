// What metrics are called.

const NAMES: Record<string, string> = {
  logit_diff: "logit difference",
  log_prob: "log probability",
  prob: "probability",
  kl: "KL divergence",
};

/** A metric's name for people. */
export function metricName(name: string): string {
  return NAMES[name] ?? name.replaceAll("_", " ");
}
