// Which positions clicks act at: the algebra of the token strip.

/** Selected positions in order, or null for "all". */
export type Positions = readonly number[] | null;

const sorted = (positions: Iterable<number>): number[] | null => {
  const list = [...new Set(positions)].sort((a, b) => a - b);
  return list.length === 0 ? null : list;
};

/** A plain click: this position alone, or all again if it was alone already. */
export function toggleAlone(selection: Positions, position: number): number[] | null {
  return selection?.length === 1 && selection[0] === position ? null : [position];
}

/** A click with Ctrl: add this position, or take it out. */
export function toggleIn(selection: Positions, position: number): number[] | null {
  const now = selection ?? [];
  return sorted(now.includes(position) ? now.filter((p) => p !== position) : [...now, position]);
}

/** A drag: every position from one end to the other, on top of what was kept. */
export function range(from: number, to: number, base: Positions = null): number[] {
  const low = Math.min(from, to);
  const span = Array.from({ length: Math.abs(to - from) + 1 }, (_, i) => low + i);
  return sorted([...(base ?? []), ...span]) ?? [];
}
