// Left, change and right: the metric with its error bars, and the edits of either state.
import type { JSX } from "preact";
import { attribute, direction, plain, signed } from "../../parts/number";
import { tokenText } from "../../parts/token";
import { real, realOrNull } from "../../protocol/decode";
import type { ReadComparison } from "../../protocol/decode_compared";
import type { ComparedEdit, ComparedState } from "../../protocol/generated";
import { editDifference } from "./difference";

/** Characters of an edit in words, and edits of a state that are listed. */
const LONGEST = 80;
const MOST = 12;

function Edits({
  edits,
  sign,
  none,
}: {
  edits: readonly ComparedEdit[];
  sign: string;
  none: string;
}): JSX.Element {
  if (edits.length === 0) return <p class="cb-quiet-text">{none}</p>;
  return (
    <ul class="cb-two-edits">
      {edits.slice(0, MOST).map((edit, i) => (
        <li key={i} class={edit.enabled ? "" : "cb-quiet-text"}>
          {sign}
          <bdi>{tokenText(edit.name ?? edit.what, LONGEST)}</bdi>
          {edit.enabled ? "" : " (off)"}
          {edit.group === null ? null : (
            <span class="cb-quiet-text">
              {" in "}
              <bdi>{tokenText(edit.group, LONGEST)}</bdi>
            </span>
          )}
        </li>
      ))}
      {edits.length > MOST ? <li class="cb-quiet-text">and {edits.length - MOST} more</li> : null}
    </ul>
  );
}

function bars(stderr: number | null): string {
  return stderr === null ? "" : ` \u00b1 ${plain(stderr)}`;
}

function Side({ cb, side, unit }: { cb: string; side: ComparedState; unit: string }): JSX.Element {
  const value = real(side.value);
  return (
    <div class="cb-two-side">
      <p class="cb-two-number" data-cb={cb} data-value={attribute(value)}>
        <b>{signed(value)}</b>
        <span class="cb-quiet-text">
          {bars(realOrNull(side.stderr))} {unit}
        </span>
      </p>
      <Edits edits={side.edits} sign="" none="No edits." />
    </div>
  );
}

export function Sides({ answer, unit }: { answer: ReadComparison; unit: string }): JSX.Element {
  const { left, right } = answer;
  const change = real(answer.change);
  const [low, high] = [realOrNull(answer.low), realOrNull(answer.high)];
  const stderr = realOrNull(answer.stderr);
  const n = left.values.length;
  const edits = editDifference(left.edits, right.edits);
  return (
    <div class="cb-two-three">
      <Side cb="compare-left-value" side={left} unit={unit} />
      <div class="cb-two-side">
        <p
          class="cb-two-number"
          data-cb="compare-change"
          data-value={attribute(change)}
          data-stderr={stderr === null ? "" : attribute(stderr)}
        >
          <b class={direction(change)}>{signed(change)}</b>
          <span class="cb-quiet-text">
            {bars(stderr)} {unit}
            {n > 1 ? `, n=${n}` : ""}
          </span>
        </p>
        {n > 1 ? (
          <p class="cb-quiet-text">
            Paired: the error is that of the differences within each prompt
            {low === null || high === null
              ? "."
              : `, 95\u202f% ${signed(low)} \u2026 ${signed(high)}.`}
          </p>
        ) : null}
        {left.base === right.base ? null : (
          <p>
            Base {left.base} {"\u2192"} {right.base}
          </p>
        )}
        {edits.left.length > 0 ? <Edits edits={edits.left} sign={"\u2212 "} none="" /> : null}
        {edits.right.length > 0 || edits.left.length === 0 ? (
          <Edits edits={edits.right} sign="+ " none="The same edits." />
        ) : null}
      </div>
      <Side cb="compare-right-value" side={right} unit={unit} />
    </div>
  );
}
