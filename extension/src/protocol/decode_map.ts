// Maps come whole once and then as the cells that have changed; the store never sees the difference.
import { bytes } from "./bytes";
import type { MapEvent } from "./generated";
import type { EffectMap, MapChange } from "./map";

type Arrays = Pick<EffectMap, "effect" | "known" | "stderr" | "index">;

const SIZES: Record<MapEvent["buffers"][number], number> = {
  cells: 4,
  effect: 4,
  known: 1,
  stderr: 4,
  index: 4,
};

function blank({ stderr, index }: Arrays, n: number): Arrays {
  return {
    effect: new Float32Array(n),
    known: new Uint8Array(n),
    stderr: stderr === null ? null : new Float32Array(n).fill(Number.NaN),
    index: index === null ? null : new Int32Array(n).fill(-1),
  };
}

function put<T extends { [i: number]: number }>(
  into: T | null,
  cells: Uint32Array,
  from: T | null,
) {
  if (into === null || from === null) return;
  for (let i = 0; i < cells.length; i += 1) into[cells[i] ?? 0] = from[i] ?? 0;
}

function filled(into: Arrays, cells: Uint32Array, from: Arrays): Arrays {
  put(into.effect, cells, from.effect);
  put(into.known, cells, from.known);
  put(into.stderr, cells, from.stderr);
  put(into.index, cells, from.index);
  return into;
}

/** The map in an event, or what has changed in one; null if the buffers are not what it says. */
export function decodeMap(
  content: Record<string, unknown>,
  buffers: readonly (ArrayBufferView | ArrayBuffer)[],
): EffectMap | MapChange | null {
  const { shape, since } = content;
  const names = content.buffers as MapEvent["buffers"];
  if (!Array.isArray(shape) || shape.length !== 2 || !Array.isArray(names)) return null;
  const n = Number(shape[0]) * Number(shape[1]);
  const byName: Partial<Record<MapEvent["buffers"][number], ArrayBuffer>> = {};
  names.forEach((name, i) => {
    const buffer = buffers[i];
    if (buffer !== undefined) byName[name] = bytes(buffer);
  });
  const { cells, effect, known, stderr, index } = byName;
  if (effect === undefined || known === undefined) return null;
  if (content.over === "neuron" && index === undefined) return null;
  const count = cells === undefined ? n : cells.byteLength / SIZES.cells;
  for (const name of names) if (byName[name]?.byteLength !== SIZES[name] * count) return null;
  const arrays: Arrays = {
    effect: new Float32Array(effect),
    known: new Uint8Array(known),
    stderr: stderr === undefined ? null : new Float32Array(stderr),
    index: index === undefined ? null : new Int32Array(index),
  };
  const event = content as unknown as MapEvent;
  if (cells === undefined) return { ...event, ...arrays, before: null };
  const changed = new Uint32Array(cells);
  if (changed.some((cell) => cell >= n)) return null;
  if (typeof since === "number") return { ...event, ...arrays, cells: changed, since };
  return { ...event, ...filled(blank(arrays, n), changed, arrays), before: null };
}

/** The map after a change of `last`; null when the change is of another map or of a later state. */
export function changedMap(last: EffectMap | undefined, change: MapChange): EffectMap | null {
  if (last === undefined || last.seq !== change.since || last.map_id !== change.map_id) return null;
  const { cells, effect, known, stderr, index, ...event } = change;
  const copy: Arrays = {
    effect: last.effect.slice(),
    known: last.known.slice(),
    stderr: last.stderr?.slice() ?? null,
    index: last.index?.slice() ?? null,
  };
  return {
    ...event,
    ...filled(copy, cells, { effect, known, stderr, index }),
    before: last.before,
  };
}
