// The mark on an edited cell: a ring, and a sign for what was done. Drawn twice, first in the colour
// of the ground, so that it is seen on every fill.
import type { JSX } from "preact";

const SIGNS: Record<string, string> = {
  zero: "M-5 5L5 -5",
  mean: "M-5 0H5",
  resample: "M-6 1q3 -5 6 -1t6 -1",
  patch: "M-5 0H4M1 -3.5l3.5 3.5l-3.5 3.5",
  scale: "M-4 4V0M4 4V-4M0 4V-2",
  add: "M-4 4V0M4 4V-4M0 4V-2",
  set: "M-4 -2H4M-4 2.5H4",
  freeze: "M0 -5V5M-4.3 -2.5L4.3 2.5M-4.3 2.5L4.3 -2.5",
};

export function Glyph({ how }: { how: string }): JSX.Element | null {
  const sign = SIGNS[how];
  if (sign === undefined) return null;
  return (
    <svg class="cb-glyph" viewBox="-8 -8 16 16" width="16" height="16" aria-hidden="true">
      <path class="cb-glyph-ground" d={sign} />
      <path class="cb-glyph-sign" d={sign} />
    </svg>
  );
}
