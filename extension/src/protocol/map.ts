// A map, and what changes in it, with their buffers read.
import type { MapEvent } from "./generated";

/**
 * A map event with its buffers read: `effect` and `known` are row-major over `shape`, and so are
 * `stderr`, which only maps over several prompts have, and `index`, the neuron of each cell (−1 until
 * it is chosen), which only a map of neurons has.
 * `before` is what the panel drew for the cells that are not known yet, NaN where it drew nothing.
 */
export interface EffectMap extends MapEvent {
  effect: Float32Array;
  known: Uint8Array;
  stderr: Float32Array | null;
  index: Int32Array | null;
  before: Float32Array | null;
}

/** What has changed in a map since the event `since`: the arrays are of `cells` alone. */
export interface MapChange extends Omit<EffectMap, "before"> {
  cells: Uint32Array;
  since: number;
}
