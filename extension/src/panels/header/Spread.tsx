// The error bars of the metric, under its name.
import type { JSX } from "preact";
import { attribute, signed } from "../../parts/number";
import type { MetricView } from "../../protocol/generated";
import { Term } from "../help/Term";
import { errorBars, errorBarsTitle, plusMinus } from "./error_bars";

/** An end of the interval, as fine as the number itself. */
function end(x: number): string {
  return signed(Number(x.toFixed(2)));
}

export function Spread({ metric }: { metric: MetricView }): JSX.Element | null {
  const bars = errorBars(metric);
  if (bars === null) return null;
  const finite = Number.isFinite(bars.stderr);
  return (
    <p
      class="cb-quiet-text"
      data-cb="spread"
      data-n={bars.n}
      data-stderr={attribute(bars.stderr)}
      data-low={attribute(bars.low)}
      data-high={attribute(bars.high)}
      title={errorBarsTitle(bars, metric.unit)}
    >
      {finite ? (
        <>
          {plusMinus(bars, 2)} <Term name="stderr">s.e.</Term> {"\u00b7"}{" "}
          <Term name="interval">95%</Term> {end(bars.low)} to {end(bars.high)}
        </>
      ) : (
        "no error bars: not finite"
      )}
    </p>
  );
}
