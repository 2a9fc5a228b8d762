// The neurons of a layer that matter most at a position, by any column; a click edits one there.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { attribute, direction, plain, signed } from "../../parts/number";
import { real } from "../../protocol/decode";
import type { EditRow, NeuronTable } from "../../protocol/generated";
import { isTerm } from "../help/glossary";
import { Term } from "../help/Term";
import { Bar, ends } from "./Bar";
import { type Column, inOrder, nextOrder, type Order } from "./neuron_order";

const COLUMNS: readonly (readonly [column: Column, text: string, title: string])[] = [
  ["index", "neuron", "Which neuron of the layer"],
  [
    "activation",
    "active",
    "Activation after the non-linearity, with the edits and in the base run; mean over prompts",
  ],
  [
    "direct",
    "direct",
    "Direct effect: what it adds to logit(answer) \u2212 logit(wrong) by itself, in logits",
  ],
  ["effect", "effect", "Exact change of the metric when it is edited here, on top of the edits"],
  ["congruence", "congruence", "W_out \u00b7 (W_U[answer] \u2212 W_U[wrong])"],
];

interface NeuronsProps {
  table: NeuronTable;
  position: number;
  edits: readonly EditRow[];
  unit: string;
  off: boolean;
  onClick(site: string, positions: number[]): void;
}

function Heading({
  column: [column, text, title],
  order,
  onChoose,
}: {
  column: (typeof COLUMNS)[number];
  order: Order | null;
  onChoose(order: Order): void;
}): JSX.Element {
  const on = order?.column === column;
  return (
    <th
      scope="col"
      aria-sort={on ? (order.down ? "descending" : "ascending") : "none"}
      title={title}
    >
      <button
        type="button"
        class="cb-sort"
        data-cb="neuron-sort"
        data-column={column}
        data-term={isTerm(column) ? column : undefined}
        onClick={() => onChoose(nextOrder(order, column))}
      >
        {text}
        <span aria-hidden="true">{on ? (order.down ? "\u25be" : "\u25b4") : ""}</span>
      </button>
    </th>
  );
}

export function Neurons({ table, position, edits, unit, off, onClick }: NeuronsProps): JSX.Element {
  const { layer, rows, ordered_by } = table;
  const [order, setOrder] = useState<Order | null>(null);
  const editOf = (index: number): EditRow | undefined =>
    edits.find(
      (edit) =>
        edit.kind === "neuron" &&
        edit.layer === layer &&
        edit.index === index &&
        (edit.positions === null || edit.positions.includes(position)),
    );
  const scales = {
    direct: ends(rows.map((row) => real(row.direct))),
    effect: ends(rows.map((row) => real(row.effect))),
  };
  return (
    <div class="cb-part">
      <h4 class="cb-h">
        <Term name="neuron">Neurons</Term> of layer {layer}
        <span class="cb-quiet-text cb-plain">
          {" "}
          {table.how} each, {unit};{" "}
          {order === null
            ? ordered_by === "estimate"
              ? "by estimated effect"
              : "by direct effect"
            : `by ${order.column === "index" ? "number" : order.column}`}
        </span>
      </h4>
      {rows.length === 0 ? (
        <p class="cb-hint">This layer has no neuron that matters here.</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard.
        <section class="cb-part-scroll" tabIndex={0} aria-label={`Neurons of layer ${layer}`}>
          <table class="cb-tt cb-neurons">
            <thead>
              <tr>
                {COLUMNS.map((column) => (
                  <Heading key={column[0]} column={column} order={order} onChoose={setOrder} />
                ))}
              </tr>
            </thead>
            <tbody>
              {inOrder(rows, order).map((row) => {
                const edit = editOf(row.index);
                const site = `neuron ${layer}.${row.index}`;
                const [effect, direct] = [real(row.effect), real(row.direct)];
                const base = plain(real(row.base_activation));
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
                    <td title={`${base} in the base run`}>{plain(real(row.activation))}</td>
                    <td class={direction(direct)}>
                      {signed(direct)}
                      <Bar value={direct} scale={scales.direct} />
                    </td>
                    <td
                      class={direction(effect)}
                      title={`estimated ${signed(real(row.estimate))} ${unit}`}
                    >
                      {signed(effect)}
                      <Bar value={effect} scale={scales.effect} />
                    </td>
                    <td>{signed(real(row.congruence))}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </section>
      )}
    </div>
  );
}
