// The unit of a metric is data like its name, but stands beside numbers everywhere: made inert once, on arrival.
import { tokenText } from "../parts/token";
import type { Snapshot } from "../protocol/generated";
import { CHARACTERS } from "../protocol/vocabulary.gen";

function inert<T extends { unit: string }>(metric: T): T {
  const unit = tokenText(metric.unit, CHARACTERS.unit);
  return unit === metric.unit ? metric : { ...metric, unit };
}

/** The snapshot with units that are short and visible; the same object where they are already. */
export function withInertUnits(snapshot: Snapshot): Snapshot {
  const metric = inert(snapshot.metric);
  const more = snapshot.more_metrics.map(inert);
  const same =
    metric === snapshot.metric && more.every((one, i) => one === snapshot.more_metrics[i]);
  return same ? snapshot : { ...snapshot, metric, more_metrics: more };
}
