// What a fake board is: model, prompts, modes and maps.
import { PROTOCOL_VERSION, type PromptRow, type Setup } from "../src/protocol/generated";
import { type FakeOptions, NO_OTHERS } from "./fake_options";

/** An id for each text, as a vocabulary has. */
function idOf(token: string): number {
  let id = 7;
  for (const letter of token.slice(0, 64)) id = (31 * id + (letter.codePointAt(0) ?? 0)) % 50_257;
  return id;
}

export function setupOf(options: FakeOptions): Setup {
  const { layers, heads, prompts, tokens, hasCorrupted, model } = options;
  const row: PromptRow = {
    columns: tokens.map(([clean, corrupted, label]) => ({
      clean,
      corrupted: hasCorrupted ? corrupted : null,
      differs: hasCorrupted && clean !== corrupted,
      labels: label === undefined ? [] : [label],
      padding: false,
      clean_id: clean === "" ? null : idOf(clean),
      corrupted_id: hasCorrupted && corrupted !== "" ? idOf(corrupted) : null,
    })),
    answer: [" Mary"],
    wrong: [" John"],
  };
  return {
    protocol: PROTOCOL_VERSION,
    version: "0.1.0",
    model,
    dtype: "float32",
    device: "cpu",
    n_layers: layers,
    n_heads: heads,
    n_positions: tokens.length,
    prompts: Array.from({ length: prompts }, () => row),
    has_corrupted: hasCorrupted,
    modes: [
      { mode: "zero", refused: null },
      { mode: "mean", refused: prompts > 1 ? null : NO_OTHERS },
      { mode: "resample", refused: prompts > 1 ? null : NO_OTHERS },
      {
        mode: "patch",
        refused: hasCorrupted ? null : "Patching needs a corrupted prompt: give PromptPair one.",
      },
    ],
    maps: options.maps,
    engine: {
      tier: "replay",
      why: "block replay agreed with plain hooks on 6 random edits (largest error 4e-6).",
    },
  };
}
