// Two states side by side, with the maps that came with them read.
import { bytes } from "./bytes";
import type { Compared } from "./generated";

/** Both maps, row-major over `ComparedMaps.shape`. */
export interface MapPair {
  left: Float32Array;
  right: Float32Array;
}

/** A comparison with its buffers read; `effects` is null where `maps` is. */
export interface ReadComparison extends Compared {
  effects: MapPair | null;
}

/** The comparison in `content` and `buffers`, or null if it is none. */
export function decodeCompared(
  content: Record<string, unknown>,
  buffers: readonly (ArrayBufferView | ArrayBuffer)[],
): ReadComparison | null {
  if (typeof content.id !== "string") return null;
  const compared = content as unknown as Compared;
  if (compared.maps === null) return { ...compared, effects: null };
  const [rows = 0, columns = 0] = compared.maps.shape;
  const [first, second] = buffers;
  if (first === undefined || second === undefined) return null;
  const [left, right] = [bytes(first), bytes(second)];
  const size = 4 * rows * columns;
  if (left.byteLength !== size || right.byteLength !== size) return null;
  return {
    ...compared,
    effects: { left: new Float32Array(left), right: new Float32Array(right) },
  };
}
