// The metric on a bar between the two baselines, with one tick a prompt.
import type { JSX } from "preact";
import { attribute, direction, signed } from "../../parts/number";
import { Answer } from "../../parts/token";
import { useWidth } from "../../parts/width";
import { real, realOrNull } from "../../protocol/decode";
import type { MetricView, PromptRow } from "../../protocol/generated";
import { errorBars } from "./error_bars";
import { type Domain, domainOf, place, rugOf } from "./scale";

/** Width of a character of a label, at most, and the room between two labels (px). */
const CHARACTER = 6.6;
const GAP = 10;

const at = (share: number): { left: string } => ({ left: `${(100 * share).toFixed(2)}%` });

function Baseline(props: {
  name: "clean" | "corrupted";
  value: number;
  at: number;
  right: boolean;
  digits: number;
}): JSX.Element {
  const { name, value, right } = props;
  const style = right ? { right: `${(100 * (1 - props.at)).toFixed(2)}%` } : at(props.at);
  return (
    <span
      class={`cb-scale-end ${name === "clean" ? "cb-pos" : "cb-neg"}`}
      style={style}
      data-cb={`baseline-${name}`}
      data-value={attribute(value)}
    >
      {name} {signed(value, props.digits)}
    </span>
  );
}

/** The 95 % interval of the mean, as far as it lies on the bar. */
function Interval({ metric, domain }: { metric: MetricView; domain: Domain }): JSX.Element | null {
  const bars = errorBars(metric);
  if (bars === null || !Number.isFinite(bars.stderr)) return null;
  const [low, high] = [place(bars.low, domain).at, place(bars.high, domain).at];
  if (low === high) return null;
  return (
    <span
      class="cb-scale-interval"
      style={{ ...at(low), width: `${(100 * (high - low)).toFixed(2)}%` }}
    />
  );
}

interface ScaleBarProps {
  metric: MetricView;
  prompt: PromptRow | undefined;
  edited: boolean;
}

export function ScaleBar({ metric, prompt, edited }: ScaleBarProps): JSX.Element {
  const [ref, width] = useWidth<HTMLDivElement>(300);
  const value = real(metric.value);
  const clean = real(metric.baselines.clean);
  const corrupted = realOrNull(metric.baselines.corrupted);
  const change = realOrNull(metric.change);
  const domain = domainOf(clean, corrupted);
  const what =
    metric.values.length > 1 ? (
      "mean over prompts"
    ) : prompt === undefined || prompt.wrong === null ? (
      prompt === undefined ? null : (
        <Answer tokens={prompt.answer} longest={14} />
      )
    ) : (
      <>
        <Answer tokens={prompt.answer} longest={14} />
        {" \u2212 "}
        <Answer tokens={prompt.wrong} longest={14} />
      </>
    );
  const caption = (
    <div class="cb-scale-top">
      <span class="cb-quiet-text">{what}</span>
      <span class="cb-quiet-text">n={metric.values.length}</span>
    </div>
  );
  if (domain === null) {
    return (
      <div class="cb-scale" ref={ref}>
        {caption}
        <div class="cb-scale-bar">
          <span class="cb-scale-track" />
        </div>
        <div class="cb-scale-bottom">
          <Baseline name="clean" value={clean} at={1} right={true} digits={2} />
          {corrupted === null ? null : (
            <Baseline name="corrupted" value={corrupted} at={0} right={false} digits={2} />
          )}
        </div>
      </div>
    );
  }
  const cleanAt = place(clean, domain).at;
  const corruptedAt = corrupted === null ? null : place(corrupted, domain).at;
  const zero = place(0, domain);
  // One decimal where that tells the two apart.
  const digits = Math.abs(clean - (corrupted ?? 0)) >= 1 ? 1 : 2;
  const long = (name: string, x: number): number =>
    `${name} ${signed(x, digits)}`.length * CHARACTER + GAP;
  // A label lies on the inner side of its tick, between it and the zero.
  const free = (name: string, x: number, tick: number | null): boolean =>
    tick === null || Math.abs(tick - zero.at) * width > long(name, x) + CHARACTER;
  const zeroFree = free("clean", clean, cleanAt) && free("corrupted", corrupted ?? 0, corruptedAt);
  const cleanRight = cleanAt >= (corruptedAt ?? zero.at);
  // On a short bar the two would touch: then they take its ends.
  const tight =
    corrupted !== null &&
    corruptedAt !== null &&
    Math.abs(cleanAt - corruptedAt) * width < long("clean", clean) + long("corrupted", corrupted);
  const now = Number.isFinite(value) ? place(value, domain) : null;
  const earlier =
    edited && now !== null && change !== null && Number.isFinite(change) && change !== 0
      ? place(value - change, domain)
      : null;
  const before = earlier?.beyond === null || now?.beyond === null ? earlier : null;
  const words = `${metric.name} ${signed(value)} ${metric.unit}; clean ${signed(clean)}${corrupted === null ? "" : `, corrupted ${signed(corrupted)}`}`;
  return (
    <div class="cb-scale" ref={ref}>
      {caption}
      <div class="cb-scale-bar" role="img" aria-label={words}>
        <span class="cb-scale-track" />
        {zero.beyond === null ? <span class="cb-scale-zero" style={at(zero.at)} /> : null}
        {corruptedAt === null ? null : (
          <span class="cb-scale-tick cb-neg-fill" style={at(corruptedAt)} />
        )}
        <span class="cb-scale-tick cb-pos-fill" style={at(cleanAt)} />
        {before === null || now === null ? null : (
          <>
            <span
              class={`cb-scale-change ${direction(change ?? 0)}-fill`}
              style={{
                left: `${(100 * Math.min(before.at, now.at)).toFixed(2)}%`,
                width: `${(100 * Math.abs(before.at - now.at)).toFixed(2)}%`,
              }}
            />
            {before.beyond === null ? <span class="cb-scale-before" style={at(before.at)} /> : null}
          </>
        )}
        {now === null ? null : (
          <span
            class={`cb-scale-now${now.beyond === null ? "" : ` cb-scale-${now.beyond}`}`}
            style={at(now.at)}
          />
        )}
        <Interval metric={metric} domain={domain} />
        {metric.values.length > 1
          ? rugOf(metric.values.map(real), domain, width).map(({ at: spot, prompt: i, x }) => (
              <span
                key={i}
                class="cb-scale-rug"
                style={at(spot)}
                title={`prompt ${i + 1}: ${signed(x)}`}
              />
            ))
          : null}
      </div>
      <div class="cb-scale-bottom">
        {corrupted === null || corruptedAt === null ? null : (
          <Baseline
            name="corrupted"
            value={corrupted}
            at={tight ? Number(!cleanRight) : corruptedAt}
            right={!cleanRight}
            digits={digits}
          />
        )}
        {zero.beyond === null && zeroFree ? (
          <span class="cb-scale-zero-label cb-quiet-text" style={at(zero.at)}>
            0
          </span>
        ) : null}
        <Baseline
          name="clean"
          value={clean}
          at={tight ? Number(cleanRight) : cleanAt}
          right={cleanRight}
          digits={digits}
        />
      </div>
    </div>
  );
}
