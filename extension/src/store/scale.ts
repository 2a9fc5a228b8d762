// The ends of a diverging colour scale.
import type { EffectMap } from "../protocol/decode";
import { real } from "../protocol/decode";
import type { Baselines } from "../protocol/generated";
import { FAR_BEYOND, PERCENTILE } from "../protocol/vocabulary.gen";

/** Round up to two digits that people read at a glance: 0.037 → 0.04, 1.83 → 1.9, 13.2 → 14. */
export function roundUp(x: number): number {
  if (!(x > 0) || !Number.isFinite(x)) return 0;
  const step = 10 ** Math.floor(Math.log10(x)) / 10;
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return Number((Math.ceil(x / step - 1e-6) * step).toFixed(digits));
}

/** A high percentile of |effect| over the finite cells that are known or estimated, rounded up; 0 when there is none. */
export function clipOf(effect: Float32Array, known: Uint8Array): number {
  const all = new Float32Array(effect.length);
  let n = 0;
  for (let i = 0; i < effect.length; i += 1) {
    const size = Math.abs(effect[i] ?? Number.NaN);
    if (known[i] === 0 || !Number.isFinite(size)) continue;
    all[n] = size;
    n += 1;
  }
  // Typed arrays sort by number, and a large map many times a second.
  const sizes = all.subarray(0, n).sort();
  return n === 0 ? 0 : roundUp(sizes[Math.floor(PERCENTILE * (n - 1))] ?? 0);
}

/** The distance between the baselines, when there is one to speak of. */
export function baselineDistance(baselines: Baselines): number | null {
  if (baselines.corrupted === null) return null;
  const distance = Math.abs(real(baselines.clean) - real(baselines.corrupted));
  return Number.isFinite(distance) && distance > 0 ? distance : null;
}

/** The end of a colour scale, and whether it is the distance of the baselines where that is to be taken. */
export function endOf(clip: number, distance: number | null): { clip: number; fixed: boolean } {
  return distance === null || clip > FAR_BEYOND * distance
    ? { clip, fixed: false }
    : { clip: distance, fixed: true };
}

/** Maps of the same thing, done in the same way, share a scale while they fill in. */
export function scaleKey(map: EffectMap): string {
  const layer = map.over === "head_pos" ? ` ${map.layers[0]}` : "";
  return `${map.over}${layer} ${map.how} ${map.base}`;
}

/** The scale of a map that has just arrived, given the one that maps of its kind had so far. */
export function nextScale(map: EffectMap, before: number | undefined): number {
  // While cells fill in the scale stands still, except for a first map, which has none yet.
  if (map.status === "computing" && before !== undefined && before > 0) return before;
  return clipOf(map.effect, map.known);
}
