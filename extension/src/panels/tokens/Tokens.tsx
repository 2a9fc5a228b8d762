// The likeliest next tokens, before and now.
import type { JSX } from "preact";
import { attribute, percent } from "../../parts/number";
import { Token } from "../../parts/token";
import { real } from "../../protocol/decode";
import type { Snapshot, TopToken } from "../../protocol/generated";
import type { BoardState } from "../../store/state";

const finite = Number.isFinite;

const SIDES = { answer: "pos", wrong: "neg" } as const;
const SIDE_WORDS = { answer: "the right answer", wrong: "the wrong answer" } as const;

interface RowProps {
  row: TopToken;
  most: number;
  edited: boolean;
  /** Whether tokens lie between it and the row above: it is here because it is an answer. */
  apart: boolean;
}

function Row({ row, most, edited, apart }: RowProps): JSX.Element {
  const side = row.side === null ? null : SIDES[row.side];
  const [prob, before] = [real(row.prob), real(row.base_prob)];
  const width = (p: number): { width: string } => ({
    width: `${((100 * (finite(p) ? p : 0)) / most).toFixed(1)}%`,
  });
  return (
    <tr
      class={apart ? "cb-tt-apart" : ""}
      data-cb="top-token"
      data-token={row.token}
      data-token-id={row.token_id}
      data-prob={attribute(prob)}
      data-rank={row.rank ?? ""}
      data-side={row.side ?? ""}
    >
      <td class="cb-tt-rank cb-quiet-text">{row.rank ?? "\u2013"}</td>
      <th scope="row" class={side === null ? "" : `cb-strong cb-${side}`}>
        <Token text={row.token} longest={16} id={row.token_id} />
        {row.side === null ? null : <span class="cb-hidden">, {SIDE_WORDS[row.side]}</span>}
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

function Table({ snapshot }: { snapshot: Snapshot }): JSX.Element {
  const { rows } = snapshot.top_tokens;
  const edited = snapshot.edits.some((edit) => edit.enabled);
  const probs = rows.flatMap((row) => [real(row.prob), real(row.base_prob)]);
  const most = Math.max(1e-6, ...probs.filter(finite));
  return (
    <table class="cb-tt">
      <thead>
        <tr>
          <th scope="col" class="cb-tt-rank" title="1 is the likeliest token">
            #<span class="cb-hidden"> rank</span>
          </th>
          <th scope="col" class="cb-tt-token">
            <span class="cb-hidden">token</span>
          </th>
          <td />
          <th scope="col">{snapshot.base}</th>
          {edited ? <th scope="col">now</th> : null}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, i) => (
          <Row
            key={row.token_id}
            row={row}
            most={most}
            edited={edited}
            apart={(row.rank ?? 0) > (rows[i - 1]?.rank ?? row.rank ?? 0) + 1}
          />
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
      <Table snapshot={snapshot} />
    </section>
  );
}
