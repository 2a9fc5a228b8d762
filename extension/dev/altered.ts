// Recorded messages with a change: the states that no kernel can be brought into, or not by asking.
import { ESTIMATED, EXACT } from "../src/protocol/decode";
import type { MapEvent, MetricView, Real, Setup, Snapshot } from "../src/protocol/generated";
import type { Alter } from "./player";

/** A state with these parts changed, whenever it is told. */
export function withState(change: (state: Snapshot) => Partial<Snapshot>): Alter {
  return ({ content, buffers }) => {
    const { snapshot } = content;
    if (snapshot === undefined) return { content, buffers };
    return { content: { ...content, snapshot: { ...snapshot, ...change(snapshot) } }, buffers };
  };
}

export function withSetup(change: (setup: Setup) => Partial<Setup>): Alter {
  return ({ content, buffers }) => {
    const { setup } = content;
    if (!setup) return { content, buffers };
    return { content: { ...content, setup: { ...setup, ...change(setup) } }, buffers };
  };
}

/** One change after the other. */
export function both(...alters: Alter[]): Alter {
  return (message) => alters.reduce((changed, alter) => alter(changed), message);
}

/** A map with other words about it, and other numbers in its buffers. */
export function withMap(
  change: (map: MapEvent) => Partial<MapEvent>,
  buffer: (name: string, cells: DataView, map: MapEvent) => DataView = (_, cells) => cells,
): Alter {
  return ({ content, buffers }) => {
    if (content.kind !== "map") return { content, buffers };
    const map = content as unknown as MapEvent;
    return {
      content: { ...content, ...change(map) },
      buffers: buffers.map((cells, i) => buffer(map.buffers[i] ?? "", cells, map)),
    };
  };
}

/** A map with these effects. */
export function withEffects(effect: (row: number, column: number, was: number) => number): Alter {
  return withMap(
    ({ map_id }) => ({ map_id: map_id + 1000 }),
    (name, cells, { shape }) => {
      if (name !== "effect") return cells;
      const columns = shape[1] ?? 1;
      const effects = new Float32Array(cells.buffer).map((was, i) =>
        effect(Math.floor(i / columns), i % columns, was),
      );
      return new DataView(effects.buffer);
    },
  );
}

/** Every token of a list, a pattern or a detail is one of these texts. */
export function withTokens(text: (i: number) => string): Alter {
  const told = (_: string, value: unknown): unknown => {
    if (typeof value !== "object" || value === null) return value;
    const { token, token_id, tokens } = value as Record<string, unknown>;
    if (typeof token === "string") return { ...value, token: text(Number(token_id)) };
    if (Array.isArray(tokens) && typeof tokens[0] === "string")
      return { ...value, tokens: tokens.map((_token, i) => text(i)) };
    return value;
  };
  return ({ content, buffers }) => ({
    content: JSON.parse(JSON.stringify(content), told),
    buffers,
  });
}

interface Unfinished {
  status?: MapEvent["status"];
  /** Whether the other cells have an estimate. */
  estimated?: boolean;
  error?: MapEvent["error"];
}

/** A map of which so many cells are exact, the first of the largest. */
export function unfinished(
  exact: number,
  { status = "computing", estimated = false, error = null }: Unfinished = {},
): Alter {
  return ({ content, buffers }) => {
    if (content.kind !== "map") return { content, buffers };
    const map = content as unknown as MapEvent;
    const at = map.buffers.indexOf("effect");
    const effect = new Float32Array(buffers[at]?.buffer ?? new ArrayBuffer(0));
    const order = [...effect.keys()].sort(
      (a, b) => Math.abs(effect[b] ?? 0) - Math.abs(effect[a] ?? 0),
    );
    const known = new Uint8Array(effect.length).fill(estimated ? ESTIMATED : 0);
    for (const cell of order.slice(0, exact)) known[cell] = EXACT;
    return withMap(
      () => ({ status, error, done: Math.min(exact, effect.length) }),
      (name, cells) => (name === "known" ? new DataView(known.buffer) : cells),
    )({ content, buffers });
  };
}

/** The prompts over and over again, so many of them; edits move some of the copies a little more, and one in 23 much. */
export function manyPrompts(n: number): Alter {
  const over = <T>(few: readonly T[], made: (one: T, i: number) => T): T[] =>
    few.length === 0 ? [] : Array.from({ length: n }, (_, i) => made(few[i % few.length] as T, i));
  const share = (i: number): number => (i % 23 === 5 ? 2.6 : 1 + i / (10 * n));
  const metric = (one: MetricView): MetricView => {
    const base_values = over(one.base_values, (real) => real);
    const moved = (real: Real, i: number): Real => {
      const base = base_values[i]?.value ?? Number.NaN;
      return real.value === null ? real : { ...real, value: base + (real.value - base) * share(i) };
    };
    return { ...one, base_values, values: over(one.values, moved) };
  };
  return both(
    withSetup(({ prompts }) => ({ prompts: over(prompts, (row) => row) })),
    withState(({ metric: first, more_metrics }) => ({
      metric: metric(first),
      more_metrics: more_metrics.map(metric),
    })),
  );
}
