// The cells of the maps that a fake kernel sends.
import { EXACT } from "../src/protocol/decode";
import type { MapEvent, View } from "../src/protocol/generated";
import type { FakeOptions } from "./fake_options";

/** Neurons a layer of the fake map of neurons has: the first ones, ranked from the last. */
export const RANKS = 10;

export interface FakeCells {
  layers: number[];
  shape: [rows: number, columns: number];
  effect: Float32Array;
  index: Int32Array | null;
}

interface Effects {
  headEffect(layer: number, head: number): number;
  residEffect(layer: number, position: number): number;
}

/** Which layers a map has, what each cell is and what it does. */
export function cellsOf(view: View, options: FakeOptions, effects: Effects): FakeCells {
  const { layers, heads, tokens } = options;
  const over: MapEvent["over"] = view.map;
  const all = Array.from({ length: layers }, (_, i) => i);
  const rows = over === "head_pos" ? heads : layers;
  const columns = over === "head" ? heads : over === "neuron" ? RANKS : tokens.length;
  const value = (row: number, column: number): number => {
    switch (over) {
      case "head":
        return effects.headEffect(row, column);
      case "head_pos":
        return (
          effects.headEffect(view.map_layer, row) * (column === tokens.length - 1 ? 0.8 : 0.01)
        );
      case "neuron":
        return effects.headEffect(row, RANKS - 1 - column) / 2;
      default:
        return effects.residEffect(row, column) * (over === "resid_pre" ? 1 : 0.3);
    }
  };
  const effect = new Float32Array(rows * columns).map((_, i) =>
    value(Math.floor(i / columns), i % columns),
  );
  const index =
    over === "neuron"
      ? new Int32Array(rows * columns).map((_, i) => RANKS - 1 - (i % columns))
      : null;
  return {
    layers: over === "head_pos" ? [view.map_layer] : all,
    shape: [rows, columns],
    effect,
    index,
  };
}

/** A standard error of a tenth of each exact effect and a bit, which a single prompt has not. */
export function errorsOf(
  effect: Float32Array,
  known: Uint8Array,
  prompts: number,
): Float32Array | null {
  if (prompts < 2) return null;
  return effect.map((x, i) => (known[i] === EXACT ? 0.02 + Math.abs(x) / 10 : Number.NaN));
}
