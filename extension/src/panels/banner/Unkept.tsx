// A quiet line while the kernel cannot keep the board on disk: work would go with it, so it is said, once, in words.
import type { JSX } from "preact";
import { tokenText } from "../../parts/token";
import type { BoardState } from "../../store/state";

/** Characters of the reason, at most. */
const LONGEST = 500;

export function Unkept({ state }: { state: BoardState }): JSX.Element | null {
  const why = state.snapshot?.unkept ?? null;
  if (why === null || !state.connected) return null;
  return (
    <p class="cb-unkept cb-quiet-text" role="status" data-cb="unkept">
      Not kept on disk: {tokenText(why, LONGEST)}
    </p>
  );
}
