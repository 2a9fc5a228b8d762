// The other metrics of the board, in one line beneath the first.
import type { JSX } from "preact";
import { attribute, plain } from "../../parts/number";
import { real } from "../../protocol/decode";
import type { MetricView } from "../../protocol/generated";
import { metricTerm } from "../help/glossary";
import { Term } from "../help/Term";
import { errorBars, errorBarsTitle, plusMinus } from "./error_bars";
import { metricName } from "./name";

const DIGITS = 3;

function More({ metric }: { metric: MetricView }): JSX.Element {
  const value = real(metric.value);
  const bars = errorBars(metric);
  const term = metricTerm(metric.name);
  return (
    <li
      data-cb="more-metric"
      data-name={metric.name}
      data-value={attribute(value)}
      data-stderr={bars === null ? "" : attribute(bars.stderr)}
      title={bars === null ? undefined : errorBarsTitle(bars, metric.unit)}
    >
      <span class="cb-quiet-text">
        {term === null ? (
          metricName(metric.name)
        ) : (
          <Term name={term}>{metricName(metric.name)}</Term>
        )}{" "}
      </span>
      <span class="cb-strong">{plain(value, DIGITS)}</span>
      <span class="cb-quiet-text">
        {bars === null ? "" : ` ${plusMinus(bars, DIGITS)}`} {metric.unit}
      </span>
    </li>
  );
}

export function MoreMetrics({ metrics }: { metrics: readonly MetricView[] }): JSX.Element | null {
  if (metrics.length === 0) return null;
  return (
    <ul class="cb-more" aria-label="More metrics">
      {metrics.map((metric) => (
        <More key={metric.name} metric={metric} />
      ))}
    </ul>
  );
}
