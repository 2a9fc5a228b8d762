// The mark on an edited cell: a ring, and a sign for what was done. Drawn twice, first in the colour
// of the ground, so that it is seen on every fill.
import type { JSX } from "preact";
import { GLYPHS } from "../../../protocol/vocabulary.gen";

const SIGNS: Readonly<Record<string, string>> = GLYPHS;

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
