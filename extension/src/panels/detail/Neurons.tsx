// The neurons of a layer that matter most at a position; a click edits one there.
import type { JSX } from "preact";
import { attribute, direction, plain, signed } from "../../parts/number";
import { real } from "../../protocol/decode";
import type { EditRow, NeuronTable } from "../../protocol/generated";

const COLUMNS: readonly (readonly [text: string, title: string])[] = [
  ["activation", "After the non-linearity, with the edits; mean over prompts"],
  ["base", "The same in the unedited base run"],
  ["direct", "What it adds to logit(answer) \u2212 logit(wrong) by itself, in logits"],
  ["congruence", "W_out \u00b7 (W_U[answer] \u2212 W_U[wrong])"],
  ["effect", "Exact change of the metric when it is edited here, on top of the edits"],
];

interface NeuronsProps {
  table: NeuronTable;
  position: number;
  edits: readonly EditRow[];
  unit: string;
  off: boolean;
  onClick(site: string, positions: number[]): void;
}

export function Neurons({ table, position, edits, unit, off, onClick }: NeuronsProps): JSX.Element {
  const { layer, rows, ordered_by } = table;
  const editOf = (index: number): EditRow | undefined =>
    edits.find(
      (edit) =>
        edit.kind === "neuron" &&
        edit.layer === layer &&
        edit.index === index &&
        (edit.positions === null || edit.positions.includes(position)),
    );
  return (
    <div class="cb-part">
      <h4 class="cb-h">
        Neurons of layer {layer}
        <span class="cb-quiet-text cb-plain">
          {" "}
          effect of {table.how} in {unit}, by{" "}
          {ordered_by === "estimate" ? "estimated effect" : "direct effect"}
        </span>
      </h4>
      {rows.length === 0 ? (
        <p class="cb-hint">This layer has no neuron that matters here.</p>
      ) : (
        <div class="cb-part-scroll">
          <table class="cb-tt cb-neurons">
            <thead>
              <tr>
                <th scope="col">neuron</th>
                {COLUMNS.map(([text, title]) => (
                  <th scope="col" key={text} title={title}>
                    {text}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => {
                const edit = editOf(row.index);
                const site = `neuron ${layer}.${row.index}`;
                const [effect, direct] = [real(row.effect), real(row.direct)];
                return (
                  <tr
                    key={row.index}
                    class={edit === undefined ? "" : "cb-neuron-edited"}
                    data-cb="neuron"
                    data-layer={layer}
                    data-index={row.index}
                    data-activation={attribute(real(row.activation))}
                    data-direct={attribute(direct)}
                    data-effect={attribute(effect)}
                    onClick={off ? undefined : () => onClick(site, [position])}
                  >
                    <th scope="row">
                      <button
                        type="button"
                        class="cb-link"
                        disabled={off}
                        aria-pressed={edit !== undefined}
                        aria-label={`${site}: effect ${signed(effect)} ${unit}${edit === undefined ? "" : `, edited: ${edit.how}`}`}
                      >
                        {layer}.{row.index}
                      </button>
                      {edit === undefined ? null : <span class="cb-quiet-text"> {edit.how}</span>}
                    </th>
                    <td>{plain(real(row.activation))}</td>
                    <td class="cb-quiet-text">{plain(real(row.base_activation))}</td>
                    <td class={direction(direct)}>{signed(direct)}</td>
                    <td>{signed(real(row.congruence))}</td>
                    <td class={direction(effect)}>{signed(effect)}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}
