// Which cell the hover card is about.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Spot } from "../look/lines";

/** How long the pointer rests on a first cell before its card appears (ms). */
const HOVER_MS = 120;

/** The hover card's cell: at once from cell to cell, after a moment from outside. */
export function useHover(): [Spot | null, (spot: Spot | null, atOnce?: boolean) => void] {
  const [hover, setHover] = useState<Spot | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const shown = useRef(false);
  const show = (spot: Spot | null, atOnce = false): void => {
    clearTimeout(timer.current);
    if (spot !== null && !shown.current && !atOnce) {
      timer.current = setTimeout(() => show(spot, true), HOVER_MS);
      return;
    }
    shown.current = spot !== null;
    setHover(spot);
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  return [hover, show];
}
