// The details and texts that a fake kernel gives: attention to the first and the previous token, round numbers.
import type { Detail, Detailed, EditRow, Moves, View } from "../src/protocol/generated";
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

function moves(up: readonly [string, number][], down: readonly [string, number][]): Moves {
  const token = ([text, logit]: readonly [string, number]): Moves["up"][number] => ({
    token: text,
    token_id: text.length,
    logit: toReal(logit),
  });
  return { up: up.map(token), down: down.map(token) };
}

const NAMES = moves(
  [
    [" Mary", 3.1],
    [" Maria", 1.2],
    [" Mar", 0.9],
    [" Marie", 0.8],
    [" Martha", 0.6],
  ],
  [
    [" John", -0.5],
    [" him", -0.4],
    [" he", -0.3],
  ],
);
const NONE = moves([], []);

interface Situation {
  revision: number;
  view: View;
  edits: readonly EditRow[];
}

export function detailOf(
  request: Detail,
  { revision, view, edits }: Situation,
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
  const own = edits.filter(
    (edit) => edit.enabled && edit.layer === layer && head && edit.site.startsWith(site),
  );
  const row = request.row ?? request.position ?? n - 1;
  const source = request.circuit === true ? (request.source ?? 0) : (request.source ?? null);
  const answer: Detailed = {
    kind: "detailed",
    id: request.id,
    revision,
    site,
    prompt: request.prompt ?? 0,
    position: request.position ?? n - 1,
    row,
    source,
    effect: {
      how: own[0]?.what ?? view.mode,
      edited: own.length > 0,
      at:
        request.position === null || request.position === undefined
          ? view.positions
          : [request.position],
      total: toReal(-1.83),
      total_stderr: toReal(0.12),
      direct: stream ? null : toReal(-1.61),
      direct_stderr: stream ? null : toReal(0.11),
      later: stream ? null : toReal(-0.22),
      later_stderr: stream ? null : toReal(0.06),
      note: null,
    },
    writes: stream
      ? null
      : {
          position: row,
          current: own.length > 0 ? NONE : NAMES,
          base: NAMES,
          change: own.length > 0 ? moves([[" John", 0.5]], [[" Mary", -3.1]]) : NONE,
        },
    circuit:
      request.circuit === true
        ? {
            row,
            source: source ?? 0,
            copying: NAMES,
            keys: moves([[" Mary", 4.2]], [[",", -2.5]]),
            keys_refused: null,
          }
        : null,
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
            { token: " Mary", token_id: 5335, prob: toReal(0.05 * i) },
            { token: " the", token_id: 262, prob: toReal(0.04) },
            { token: tokens[1] ?? "", token_id: 1, prob: toReal(0.03) },
          ],
        })),
    refused: [],
    elapsed_ms: 12,
  };
  return { answer, buffers };
}
