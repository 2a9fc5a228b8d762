// What a fake kernel says of two states side by side: effects add up there too.
import type { Compare, Compared, ComparedState, View } from "../src/protocol/generated";
import type { FakeHistory } from "./fake_history";
import { cellsOf } from "./fake_map";
import { errorBars, noise, toReal } from "./fake_numbers";
import type { FakeOptions } from "./fake_options";

interface Kernel {
  history: FakeHistory;
  view: View;
  base: "clean" | "corrupted";
  revision: number;
  options: FakeOptions;
  headEffect(layer: number, head: number): number;
  residEffect(layer: number, position: number): number;
}

function sideOf(node: number, kernel: Kernel): { side: ComparedState; values: number[] } {
  const { label, note, value } = kernel.history.node(node);
  const { prompts } = kernel.options;
  const mean = value?.value ?? 0;
  const spread = prompts > 1 ? 1 : 0;
  const values = Array.from({ length: prompts }, (_, i) => mean + spread * noise(i + 3 + node));
  return {
    side: {
      node,
      label,
      note,
      base: kernel.base,
      edits: kernel.history
        .editsOf(node)
        .map(({ what, enabled, name, group }) => ({ what, enabled, name, group })),
      value: toReal(mean),
      stderr: errorBars(mean, 0.22, prompts).stderr,
      values: values.map(toReal),
    },
    values,
  };
}

export function comparisonOf(
  request: Compare,
  kernel: Kernel,
): { answer: Compared; buffers: DataView[] } {
  const [left, right] = [sideOf(request.left, kernel), sideOf(request.right, kernel)];
  const change = (right.side.value.value ?? 0) - (left.side.value.value ?? 0);
  const { layers, shape, effect } = cellsOf(kernel.view, kernel.options, kernel);
  const maps = request.map === true;
  const rightEffect = effect.map((x, i) => x + noise(i + 7));
  const prob = (x: number): number => Math.max(0.01, Math.min(0.98, 0.1 + x / 6));
  const token = (text: string, id: number, a: number, b: number) => ({
    token: text,
    token_id: id,
    left_prob: toReal(a),
    right_prob: toReal(b),
    left_logit: toReal(Math.log(a)),
    right_logit: toReal(Math.log(b)),
    side: id === 5335 ? ("answer" as const) : id === 1757 ? ("wrong" as const) : null,
  });
  const [a, b] = [prob(left.side.value.value ?? 0), prob(right.side.value.value ?? 0)];
  const answer: Compared = {
    kind: "compared",
    id: request.id,
    revision: kernel.revision,
    left: left.side,
    right: right.side,
    change: toReal(change),
    ...errorBars(change, 0.12, kernel.options.prompts),
    prompt: request.prompt ?? 0,
    tokens: [
      token(" Mary", 5335, a, b),
      token(" John", 1757, 0.9 * (1 - a), 0.9 * (1 - b)),
      token(" the", 262, 0.05 * (1 - a), 0.05 * (1 - b)),
    ],
    runs: 2 * effect.length,
    maps: maps
      ? {
          over: kernel.view.map,
          how: kernel.view.mode,
          positions: kernel.view.positions,
          layers,
          shape,
          elapsed_ms: 90,
        }
      : null,
    refused: null,
    elapsed_ms: 12,
  };
  const buffers = maps
    ? [effect, rightEffect].map(({ buffer }) => new DataView(buffer as ArrayBuffer))
    : [];
  return { answer, buffers };
}
