// The details and texts that a fake kernel gives: attention to the first and the previous token, round numbers.
import type { Detail, Detailed, EditRow, Export, Exported, View } from "../src/protocol/generated";
import { toReal } from "./fake_numbers";
import type { FakeOptions } from "./fake_options";

export interface FakeDetail {
  answer: Detailed;
  buffers: DataView[];
}

/** Every token looks at the first one by `first`, at the one before by half of the rest. */
function pattern(n: number, first: number): Float32Array {
  const values = new Float32Array(n * n);
  for (let dest = 0; dest < n; dest += 1) {
    const add = (src: number, x: number): void => {
      values[dest * n + src] = (values[dest * n + src] ?? 0) + x;
    };
    add(0, first);
    add(Math.max(0, dest - 1), (1 - first) / 2);
    add(dest, (1 - first) / 2);
  }
  return values;
}

interface Shown {
  revision: number;
  view: View;
  edits: readonly EditRow[];
}

export function detailOf(
  request: Detail,
  { revision, view, edits }: Shown,
  options: FakeOptions,
): FakeDetail {
  const { site } = request;
  const head = /^\d/.test(site);
  const stream = site.startsWith("resid");
  const layer = Number(head ? site.split(".")[0] : site.split(" ")[1]?.split(".")[0]);
  const tokens = options.tokens.map(([clean]) => clean);
  const n = tokens.length;
  const buffers = head
    ? [pattern(n, edits.length > 0 ? 0.2 : 0.6), pattern(n, 0.6)].map(
        (values) => new DataView(values.buffer),
      )
    : [];
  const answer: Detailed = {
    kind: "detailed",
    id: request.id,
    revision,
    site,
    prompt: request.prompt ?? 0,
    position: request.position ?? n - 1,
    direct: stream ? null : { value: toReal(0.53), stderr: null, base_value: toReal(0.6) },
    attention: head ? { tokens, shape: [n, n], first_column: 0 } : null,
    by_position:
      head && request.by_position === true
        ? {
            how: view.mode,
            columns: tokens.map((_, i) => i),
            effects: tokens.map((_, i) => toReal(i === n - 1 ? -1.5 : i === 1 ? 1e-7 : 0.01 * i)),
          }
        : null,
    neurons: head
      ? null
      : {
          layer,
          how: view.mode,
          ordered_by: "estimate",
          rows: Array.from({ length: 8 }, (_, i) => ({
            index: 141 + 37 * i,
            activation: toReal(2.5 - 0.2 * i),
            base_activation: toReal(2.4 - 0.2 * i),
            direct: toReal(0.4 - 0.1 * i),
            direct_stderr: null,
            congruence: toReal(0.16 - 0.04 * i),
            estimate: toReal(-0.8 / (i + 1)),
            effect: toReal((i % 3 === 2 ? 0.75 : -0.75) / (i + 1)),
            effect_stderr: null,
          })),
        },
    lens: head
      ? null
      : Array.from({ length: options.layers }, (_, i) => ({
          site: `resid_pre ${i}`,
          layer: i,
          logit_diff: toReal(0.3 * i - 0.5),
          base_logit_diff: toReal(0.32 * i - 0.5),
          prob: toReal(0.05 * i),
          tokens: [
            { token: " Mary", prob: toReal(0.05 * i) },
            { token: " the", prob: toReal(0.04) },
            { token: tokens[1] ?? "", prob: toReal(0.03) },
          ],
        })),
    refused: [],
    elapsed_ms: 12,
  };
  return { answer, buffers };
}

export function exportOf({ id, what }: Export): Exported {
  return {
    kind: "exported",
    id,
    text: what === "csv" ? "site,value,effect,exact\n" : "board.undo()\n",
    filename: what === "csv" ? "map.csv" : "step.py",
    media_type: "text/plain",
  };
}
