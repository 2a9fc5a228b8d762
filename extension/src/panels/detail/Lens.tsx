// The residual stream at a position, layer by layer, read as if the model ended there.
import type { JSX } from "preact";
import { attribute, direction, percent, plain, signed } from "../../parts/number";
import { Token } from "../../parts/token";
import { real } from "../../protocol/decode";
import type { LensRow } from "../../protocol/generated";
import { Term } from "../help/Term";

/** Likeliest tokens that are drawn; the others are in the title. */
const DRAWN = 3;

export function Lens({ rows, site }: { rows: readonly LensRow[]; site: string }): JSX.Element {
  return (
    <div class="cb-part">
      <h4 class="cb-h">
        <Term name="lens">Logit lens</Term>
        <span class="cb-quiet-text cb-plain"> logit difference in logits, by residual stream</span>
      </h4>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard. */}
      <section class="cb-part-scroll" tabIndex={0} aria-label="Logit lens by residual stream">
        <table class="cb-tt cb-lens">
          <thead>
            <tr>
              <th scope="col">stream</th>
              <th scope="col">logit diff</th>
              <th scope="col">base</th>
              <th scope="col" title="Probability of the answer, mean over prompts">
                p(answer)
              </th>
              <th scope="col" class="cb-lens-tokens">
                likeliest
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => {
              const now = real(row.logit_diff);
              return (
                <tr
                  key={row.site}
                  class={row.site === site ? "cb-lens-here" : ""}
                  data-cb="lens"
                  data-site={row.site}
                  data-logit-diff={attribute(now)}
                  data-prob={attribute(real(row.prob))}
                >
                  <th scope="row">{row.site}</th>
                  <td class={direction(now)}>{signed(now)}</td>
                  <td class="cb-quiet-text">{plain(real(row.base_logit_diff))}</td>
                  <td>{percent(real(row.prob))}</td>
                  <td class="cb-lens-tokens">
                    {row.tokens.slice(0, DRAWN).map((token, i) => (
                      <span key={i} title={percent(real(token.prob))}>
                        {i === 0 ? "" : " "}
                        <Token text={token.token} longest={10} id={token.token_id} />
                      </span>
                    ))}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </section>
    </div>
  );
}
