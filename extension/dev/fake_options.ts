// What a fake kernel can be made to show.
import type { View } from "../src/protocol/generated";

export interface FakeOptions {
  layers: number;
  heads: number;
  prompts: number;
  hasCorrupted: boolean;
  model: string;
  /** Tokens of the clean run; the corrupted run differs where a pair is given. */
  tokens: readonly (readonly [clean: string, corrupted: string, label?: string])[];
  /** Effects that are set by hand, by head. */
  effects: Readonly<Record<string, number>>;
  /** Cells computed before the map is sent; all when left out. */
  known?: number;
  /** Why the board is not kept on disk. */
  unkept: string | null;
  /** Notes on the prompts: code, text, place. */
  notes: readonly (readonly [code: string, text: string, where: string])[];
  /** Metrics beside the first: name, unit, value. */
  moreMetrics: readonly (readonly [name: string, unit: string, value: number])[];
  maps: View["map"][];
  /** Requests of these kinds are never answered. */
  mute: ReadonlySet<string>;
}

export const IOI: FakeOptions["tokens"] = [
  ["<|endoftext|>", "<|endoftext|>"],
  ["When", "When"],
  [" John", " John", "S1"],
  [" and", " and"],
  [" Mary", " Mary", "IO"],
  [" went", " went"],
  [" to", " to"],
  [" the", " the"],
  [" shops", " shops"],
  [",", ","],
  [" John", " Mary", "S2"],
  [" gave", " gave"],
  [" the", " the"],
  [" bag", " bag"],
  [" to", " to", "END"],
];

const GPT2_EFFECTS: FakeOptions["effects"] = {
  "9.9": -1.83,
  "9.6": -1.06,
  "10.0": -0.12,
  "8.6": -0.57,
  "10.10": -0.58,
  "10.6": -0.41,
  "9.0": -0.34,
  "10.7": 1.31,
  "11.10": 0.97,
  "7.9": -0.74,
  "8.10": -0.69,
  "7.3": -0.53,
  "5.5": -0.23,
  "3.0": -0.47,
};

export const FIRST_VIEW: View = {
  mode: "zero",
  positions: null,
  map: "head",
  prompt: 0,
  map_layer: 0,
  live: true,
  colours: "orange-blue",
};

export const DEFAULTS: FakeOptions = {
  layers: 12,
  heads: 12,
  prompts: 1,
  hasCorrupted: true,
  model: "gpt2-small",
  tokens: IOI,
  effects: GPT2_EFFECTS,
  moreMetrics: [],
  unkept: null,
  notes: [],
  maps: ["head", "head_pos", "resid_pre", "attn_out", "mlp_out", "neuron"],
  mute: new Set(),
};

/** Why there is nothing to take a mean over. */
export const NO_OTHERS =
  "That needs several different prompts of one length, as a data set or as Board(reference=\u2026).";
