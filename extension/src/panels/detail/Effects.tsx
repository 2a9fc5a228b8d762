// What editing the component does to the metric, and by which way.
import type { JSX } from "preact";
import { attribute, direction, plain, signed } from "../../parts/number";
import { tokenText } from "../../parts/token";
import { real, realOrNull } from "../../protocol/decode";
import type { DirectView, EditEffect, Real } from "../../protocol/generated";
import { Term } from "../help/Term";
import { Bar, effectWords, ends, roundingOf } from "./Bar";

/** Bars are full from this share of the metric on. */
const SMALL = 0.05;

interface Line {
  name: string;
  term: "total" | "direct" | null;
  title: string;
  value: Real | null;
  stderr: Real | null;
  unit: string;
}

/** Whether later parts worked against the direct effect or along with it; null where that is noise. */
export function whatTheRestDid(
  { direct, later, later_stderr }: Pick<EditEffect, "direct" | "later" | "later_stderr">,
  rounding: number,
): "repaired" | "amplified" | null {
  const [own, rest] = [realOrNull(direct), realOrNull(later)];
  if (own === null || rest === null) return null;
  const noise = Math.max(rounding, 2 * (realOrNull(later_stderr) ?? 0));
  if (!(Math.abs(rest) > noise && Math.abs(own) > rounding)) return null;
  return rest > 0 === own > 0 ? "amplified" : "repaired";
}

export function Effects({
  effect,
  direct,
  unit,
  metric,
}: {
  effect: EditEffect;
  direct: DirectView | null;
  unit: string;
  /** The metric of the state, which says what is next to nothing. */
  metric: number;
}): JSX.Element {
  const lines: Line[] = [
    {
      name: "Total effect",
      term: "total",
      title: effect.edited
        ? "The metric with these edits minus the metric without"
        : `The exact change of the metric if it is edited (${effect.how}), on top of the edits in force`,
      value: effect.total,
      stderr: effect.total_stderr,
      unit,
    },
    {
      name: "Direct, to the logits",
      term: "direct",
      title:
        "How much that changes what it adds to logit(answer) \u2212 logit(wrong) by itself, the final norm\u2019s scale held",
      value: effect.direct,
      stderr: effect.direct_stderr,
      unit: "logits",
    },
    {
      name: "Through later parts",
      term: null,
      title:
        "The total minus the direct effect: what later parts make of it, the final norm\u2019s scale included. Against the direct effect it is repaired (self-repair), along with it amplified",
      value: effect.later,
      stderr: effect.later_stderr,
      unit: "logits",
    },
  ];
  const word = whatTheRestDid(effect, roundingOf(metric));
  const rows = lines.filter(({ value }) => value !== null);
  const scale = ends(
    rows.map(({ value }) => realOrNull(value) ?? 0),
    SMALL * Math.max(1, Number.isFinite(metric) ? Math.abs(metric) : 1),
  );
  const adds = direct === null ? null : real(direct.value);
  return (
    <div class="cb-effects">
      <table class="cb-effect-table">
        <caption class="cb-hidden">
          {effect.edited ? "Effect of the edits of this component" : `Effect of ${effect.how}`}
        </caption>
        <tbody>
          {rows.map((line) => {
            const value = realOrNull(line.value) ?? Number.NaN;
            const stderr = realOrNull(line.stderr);
            return (
              <tr
                key={line.name}
                data-cb="effect-part"
                data-part={line.term ?? "later"}
                data-value={attribute(value)}
                title={line.title}
              >
                <th scope="row">
                  {line.term === null ? line.name : <Term name={line.term}>{line.name}</Term>}
                </th>
                <td class="cb-effect-bar">
                  <Bar value={value} scale={scale} />
                </td>
                <td class="cb-effect-number">
                  <span class={`cb-strong ${direction(value)}`}>
                    {effectWords(value, roundingOf(metric))}
                  </span>
                  <span class="cb-quiet-text">
                    {stderr === null ? "" : ` \u00b1 ${plain(stderr)}`} {line.unit}
                    {line.term === null && word !== null ? (
                      <span data-cb="effect-verdict">, {word}</span>
                    ) : null}
                  </span>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {effect.note === null ? null : <p class="cb-note">{tokenText(effect.note, 300)}</p>}
      {direct === null || adds === null ? null : (
        <p
          class="cb-note"
          data-cb="direct"
          data-value={attribute(adds)}
          data-base={attribute(real(direct.base_value))}
        >
          As it is now it adds <span class={`cb-strong ${direction(adds)}`}>{signed(adds)}</span>
          {direct.stderr === null ? "" : ` \u00b1 ${plain(real(direct.stderr))}`} logits directly;{" "}
          {signed(real(direct.base_value))} in the base run.
        </p>
      )}
    </div>
  );
}
