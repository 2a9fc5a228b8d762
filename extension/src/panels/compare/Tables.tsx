// Token by token and prompt by prompt: left, change, right.
import type { ComponentChildren, JSX } from "preact";
import { useMemo } from "preact/hooks";
import { attribute, direction, percent, signed } from "../../parts/number";
import { Token } from "../../parts/token";
import { real } from "../../protocol/decode";
import type { ReadComparison } from "../../protocol/decode_compared";
import { promptChanges } from "./difference";

/** Prompts that are listed. */
const MOST = 8;

function points(change: number): string {
  return Number.isFinite(change) ? signed(100 * change, 1) : "nan";
}

function BothStates({ of, children }: { of: string; children: ComponentChildren }): JSX.Element {
  return (
    <table class="cb-tt cb-two-table">
      <thead>
        <tr>
          {[of, "left", "change", "right"].map((name) => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  );
}

export function Tokens({
  answer,
  several,
}: {
  answer: ReadComparison;
  several: boolean;
}): JSX.Element {
  return (
    <section aria-label="Top tokens of both states">
      <h4 class="cb-h">
        Top tokens
        <span class="cb-quiet-text cb-plain">
          {several ? ` prompt ${answer.prompt + 1},` : ""} change in percentage points
        </span>
      </h4>
      <BothStates of="token">
        {answer.tokens.map((row) => {
          const [left, right] = [real(row.left_prob), real(row.right_prob)];
          return (
            <tr
              key={row.token_id}
              data-cb="compare-token"
              data-token={row.token}
              data-side={row.side ?? ""}
              data-left={attribute(left)}
              data-right={attribute(right)}
            >
              <th scope="row">
                <Token text={row.token} longest={16} id={row.token_id} />
              </th>
              <td>{percent(left)}</td>
              <td class={direction(right - left)}>{points(right - left)}</td>
              <td>{percent(right)}</td>
            </tr>
          );
        })}
      </BothStates>
    </section>
  );
}

export function Prompts({
  answer,
  unit,
}: {
  answer: ReadComparison;
  unit: string;
}): JSX.Element | null {
  const { rows, rise, fall } = useMemo(() => promptChanges(answer), [answer]);
  if (rows.length < 2) return null;
  const rest = rows.length - MOST;
  return (
    <section aria-label="Both states prompt by prompt">
      <h4 class="cb-h">
        Per prompt
        <span class="cb-quiet-text cb-plain">
          {" "}
          {fall} of {rows.length} fall, {rise} rise; {unit}
        </span>
      </h4>
      <BothStates of="prompt">
        {rows.slice(0, MOST).map((row) => (
          <tr
            key={row.prompt}
            data-cb="compare-prompt"
            data-prompt={row.prompt}
            data-change={attribute(row.change)}
          >
            <th scope="row">{row.prompt + 1}</th>
            <td>{signed(row.left)}</td>
            <td class={direction(row.change)}>{signed(row.change)}</td>
            <td>{signed(row.right)}</td>
          </tr>
        ))}
      </BothStates>
      {rest > 0 ? (
        <p class="cb-note">
          The largest changes; {rest} smaller {rest === 1 ? "one is" : "ones are"} not listed.
        </p>
      ) : null}
    </section>
  );
}
