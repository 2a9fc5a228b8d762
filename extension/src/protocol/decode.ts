// What arrives from the kernel, checked before anything else sees it. Numbers that JSON has no word
// for are turned into JavaScript's own here, and buffers into typed arrays.
import { bytes } from "./bytes";
import { decodeCompared, type ReadComparison } from "./decode_compared";
import { decodeMap } from "./decode_map";
import type { AnyAnswer, BusyEvent, Compared, Detailed, Real, SnapshotEvent } from "./generated";
import type { EffectMap, MapChange } from "./map";

export type { EffectMap } from "./map";

/** What `known` says of a cell of a map: computed, or estimated until it is; 0 is neither. */
export const EXACT = 1;
export const ESTIMATED = 2;

/** A head's attention patterns, row-major over `AttentionView.shape`: dest, src. */
export interface Patterns {
  current: Float32Array;
  base: Float32Array;
}

/** A detail with its buffers read; `patterns` is null where `attention` is. */
export interface ReadDetail extends Detailed {
  patterns: Patterns | null;
}

/** Any answer, with the buffers that came with it read. */
export type Answer = Exclude<AnyAnswer, Detailed | Compared> | ReadDetail | ReadComparison;

export type Incoming = Answer | SnapshotEvent | BusyEvent | EffectMap | MapChange;

const ANSWERS = new Set([
  "done",
  "superseded",
  "failed",
  "welcome",
  "verified",
  "code",
  "exported",
  "saved",
  "traced",
  "read_by",
]);

/** The number a `Real` stands for: NaN and the infinities included. */
export function real(x: Real): number {
  switch (x.special) {
    case "nan":
      return Number.NaN;
    case "inf":
      return Number.POSITIVE_INFINITY;
    case "-inf":
      return Number.NEGATIVE_INFINITY;
    default:
      return x.value ?? Number.NaN;
  }
}

/** The same for a field that may be null. */
export function realOrNull(x: Real | null): number | null {
  return x === null ? null : real(x);
}

function isRecord(x: unknown): x is Record<string, unknown> {
  return typeof x === "object" && x !== null && !Array.isArray(x);
}

function decodeDetail(
  content: Record<string, unknown>,
  buffers: readonly (ArrayBufferView | ArrayBuffer)[],
): ReadDetail | null {
  if (typeof content.id !== "string") return null;
  const detail = content as unknown as Detailed;
  if (detail.attention === null) return { ...detail, patterns: null };
  const [rows = 0, columns = 0] = detail.attention.shape;
  const [first, second] = buffers;
  if (first === undefined || second === undefined) return null;
  const current = bytes(first);
  const base = bytes(second);
  const size = 4 * rows * columns;
  if (current.byteLength !== size || base.byteLength !== size) return null;
  return {
    ...detail,
    patterns: { current: new Float32Array(current), base: new Float32Array(base) },
  };
}

/** The message in `content` and `buffers`, or null when it is none that this panel knows. */
export function decode(
  content: unknown,
  buffers: readonly (ArrayBufferView | ArrayBuffer)[] = [],
): Incoming | null {
  if (!isRecord(content)) return null;
  const { kind } = content;
  if (typeof kind === "string" && ANSWERS.has(kind)) {
    return typeof content.id === "string" ? (content as unknown as Answer) : null;
  }
  if (kind === "detailed") return decodeDetail(content, buffers);
  if (kind === "compared") return decodeCompared(content, buffers);
  if (!Number.isInteger(content.seq)) return null;
  if (kind === "snapshot")
    return isRecord(content.snapshot) ? (content as unknown as SnapshotEvent) : null;
  if (kind === "busy")
    return typeof content.what === "string" ? (content as unknown as BusyEvent) : null;
  return kind === "map" ? decodeMap(content, buffers) : null;
}
