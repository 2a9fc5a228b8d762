// Tokens whose logits a component moves most, up and down.
import type { JSX } from "preact";
import { attribute, direction, signed } from "../../parts/number";
import { Token } from "../../parts/token";
import { real } from "../../protocol/decode";
import type { Moves } from "../../protocol/generated";
import { Bar, ends } from "./Bar";

interface MovedProps {
  moves: Moves;
  /** Rows on each side. */
  up: number;
  down: number;
  label: string;
  nothing: string;
}

export function Moved({ moves, up, down, label, nothing }: MovedProps): JSX.Element {
  const rows = [...moves.up.slice(0, up), ...moves.down.slice(0, down).reverse()];
  if (rows.length === 0) return <p class="cb-note">{nothing}</p>;
  const scale = ends(rows.map(({ logit }) => real(logit)));
  return (
    <table class="cb-moved" aria-label={label}>
      <tbody>
        {rows.map(({ token, token_id, logit }, i) => {
          const value = real(logit);
          return (
            <tr key={i} data-cb="moved-token" data-token={token} data-value={attribute(value)}>
              <th scope="row">
                <Token text={token} longest={12} id={token_id} />
              </th>
              <td class="cb-moved-bar">
                <Bar value={value} scale={scale} />
              </td>
              <td class={direction(value)}>{signed(value, 1)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
