// The likeliest next tokens, before and now.
import type { JSX } from "preact";
import { attribute, percent } from "../../parts/number";
import { answersOf, Token } from "../../parts/token";
import { real } from "../../protocol/decode";
import type { PromptRow, Snapshot, TopToken } from "../../protocol/generated";
import type { BoardState } from "../../store/state";

const finite = Number.isFinite;

function isAmong(token: string, answer: string | null | undefined): boolean {
  return typeof answer === "string" && answersOf(answer).includes(token);
}

function Row({
  row,
  prompt,
  most,
  edited,
}: {
  row: TopToken;
  prompt: PromptRow | undefined;
  most: number;
  edited: boolean;
}): JSX.Element {
  const side = isAmong(row.token, prompt?.answer)
    ? "pos"
    : isAmong(row.token, prompt?.wrong)
      ? "neg"
      : null;
  const [prob, before] = [real(row.prob), real(row.base_prob)];
  const width = (p: number): { width: string } => ({
    width: `${((100 * (finite(p) ? p : 0)) / most).toFixed(1)}%`,
  });
  return (
    <tr data-cb="top-token" data-token={row.token} data-prob={attribute(prob)}>
      <th scope="row" class={side === null ? "" : `cb-strong cb-${side}`}>
        <Token text={row.token} longest={16} />
      </th>
      <td class="cb-tt-bars" aria-hidden="true">
        <span class="cb-tt-before" style={width(before)} />
        {edited ? (
          <span class={`cb-tt-now ${side === null ? "" : `cb-${side}-fill`}`} style={width(prob)} />
        ) : null}
      </td>
      <td class={edited ? "cb-quiet-text" : ""}>{percent(before)}</td>
      {edited ? <td>{percent(prob)}</td> : null}
    </tr>
  );
}

function Table({
  snapshot,
  prompt,
}: {
  snapshot: Snapshot;
  prompt: PromptRow | undefined;
}): JSX.Element {
  const { rows } = snapshot.top_tokens;
  const edited = snapshot.edits.some((edit) => edit.enabled);
  const probs = rows.flatMap((row) => [real(row.prob), real(row.base_prob)]);
  const most = Math.max(1e-6, ...probs.filter(finite));
  return (
    <table class="cb-tt">
      <thead>
        <tr>
          <th scope="col">
            <span class="cb-hidden">token</span>
          </th>
          <td />
          <th scope="col">{snapshot.base}</th>
          {edited ? <th scope="col">now</th> : null}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <Row key={row.token_id} row={row} prompt={prompt} most={most} edited={edited} />
        ))}
      </tbody>
    </table>
  );
}

export function Tokens({ state }: { state: BoardState }): JSX.Element {
  const { setup, snapshot } = state;
  if (setup === null || snapshot === null) {
    return (
      <section class="cb-sec" aria-label="Top tokens">
        <h3 class="cb-h">Top tokens</h3>
        <p class="cb-hint">Waiting for the first run.</p>
      </section>
    );
  }
  const { top_tokens: top } = snapshot;
  return (
    <section class="cb-sec" aria-label="Top tokens">
      <div class="cb-sechead">
        <h3 class="cb-h">Top tokens at {top.at}</h3>
        <span class="cb-grow" />
        {setup.prompts.length > 1 ? (
          <span class="cb-quiet-text cb-small">prompt {top.prompt + 1}</span>
        ) : null}
      </div>
      <Table snapshot={snapshot} prompt={setup.prompts[top.prompt]} />
    </section>
  );
}
