// A live region that is spoken at most once a second: between, what changes is held back as busy.
import { useEffect, useReducer, useRef } from "preact/hooks";

/** The least time between two announcements (ms). */
export const ANNOUNCED_MS = 1000;

/** Whether a change of `value` is to be held back (`aria-busy`), so that its last is what is spoken. */
export function useHeldBack(value: unknown): boolean {
  const last = useRef(value);
  const spokenAt = useRef(Number.NEGATIVE_INFINITY);
  const held = useRef(false);
  const [, speak] = useReducer<number, void>((n) => n + 1, 0);
  if (!Object.is(last.current, value)) {
    last.current = value;
    const now = Date.now();
    if (now - spokenAt.current < ANNOUNCED_MS) held.current = true;
    else spokenAt.current = now;
  }
  useEffect(() => {
    if (!held.current) return undefined;
    const timer = setTimeout(
      () => {
        held.current = false;
        spokenAt.current = Date.now();
        speak();
      },
      Math.max(0, spokenAt.current + ANNOUNCED_MS - Date.now()),
    );
    return () => clearTimeout(timer);
  }, [value]);
  return held.current;
}
