// What one map says more than another: B − A, cell by cell.
import { type EffectMap, ESTIMATED, EXACT } from "../../../protocol/decode";
import { MAPS } from "../../../protocol/vocabulary.gen";
import { clipOf } from "../../../store/scale";
import { type Axes, isByPosition } from "../grid/cells";

/** What a map must tell to be compared. */
export type Comparable = Axes & Pick<EffectMap, "effect" | "known">;

/**
 * B − A over the cells of B. `known` is exact where both are, an estimate where either is one, 0 where
 * either is not known; `effect` is NaN there, and where there is no difference to speak of (∞ − ∞).
 */
export interface Difference extends Axes {
  /** A's effects at the cells of B; NaN where A has none. */
  a: Float32Array;
  /** What is known of them. */
  knownA: Uint8Array;
  /** B's effects; NaN where they are not known. */
  b: Float32Array;
  effect: Float32Array;
  known: Uint8Array;
  /** The end of its own symmetric scale: the 98th percentile of |B − A|, rounded. */
  clip: number;
}

/** Two maps compared, or the reason why they cannot be, in words. */
export type Compared = { difference: Difference; refused: null } | { refused: string };

function refusal(a: Comparable, b: Comparable): string | null {
  if (a.over !== b.over)
    return `A is a map of ${MAPS[a.over].of}, this is one of ${MAPS[b.over].of}: only maps of the same things can be compared.`;
  if (a.over === "head_pos" && a.layers[0] !== b.layers[0])
    return `A is of layer ${a.layers[0]}, this map of layer ${b.layers[0]}: choose layer ${a.layers[0]} to compare.`;
  const sameLayers =
    a.layers.length === b.layers.length && a.layers.every((layer, i) => layer === b.layers[i]);
  if (!sameLayers || a.shape[0] !== b.shape[0] || a.shape[1] !== b.shape[1])
    return `A has ${a.shape[0]} rows and ${a.shape[1]} columns${isByPosition(a.over) ? " of positions" : ""}, this map ${b.shape[0]} and ${b.shape[1]}: they belong to other prompts or another model.`;
  return null;
}

/** For each cell of B the cell of A that is the same component, −1 where A lacks it. */
function counterparts(a: Comparable, b: Comparable): Int32Array {
  const n = b.effect.length;
  const found = new Int32Array(n);
  if (b.index === null || a.index === null) return found.map((_, i) => i);
  // Neurons are ranked anew in every state: the same one may stand elsewhere in its row.
  const columns = b.shape[1] ?? 0;
  for (let row = 0; row * columns < n; row += 1) {
    const ofA = new Map<number, number>();
    for (let i = row * columns; i < (row + 1) * columns; i += 1) ofA.set(a.index[i] ?? -1, i);
    for (let i = row * columns; i < (row + 1) * columns; i += 1) {
      const neuron = b.index[i] ?? -1;
      found[i] = neuron < 0 ? -1 : (ofA.get(neuron) ?? -1);
    }
  }
  return found;
}

/** B − A. */
export function differenceOf(a: Comparable, b: Comparable): Compared {
  const refused = refusal(a, b);
  if (refused !== null) return { refused };
  const n = b.effect.length;
  const from = counterparts(a, b);
  const effects = { a: new Float32Array(n), b: new Float32Array(n) };
  const knownA = new Uint8Array(n);
  const effect = new Float32Array(n);
  const known = new Uint8Array(n);
  for (let i = 0; i < n; i += 1) {
    const j = from[i] ?? -1;
    const [kindA, kindB] = [j < 0 ? 0 : (a.known[j] ?? 0), b.known[i] ?? 0];
    knownA[i] = kindA;
    effects.a[i] = kindA === 0 ? Number.NaN : (a.effect[j] ?? Number.NaN);
    effects.b[i] = kindB === 0 ? Number.NaN : (b.effect[i] ?? Number.NaN);
    effect[i] = (effects.b[i] ?? Number.NaN) - (effects.a[i] ?? Number.NaN);
    if (kindA !== 0 && kindB !== 0)
      known[i] = kindA === EXACT && kindB === EXACT ? EXACT : ESTIMATED;
  }
  const { over, layers, shape, index } = b;
  const difference: Difference = {
    over,
    layers,
    shape,
    index,
    ...effects,
    knownA,
    effect,
    known,
    clip: clipOf(effect, known),
  };
  return { difference, refused: null };
}
