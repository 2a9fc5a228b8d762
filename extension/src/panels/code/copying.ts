// What can be copied out of the panel, which of it has just been, and what has to be copied by hand.
import { useEffect, useRef, useState } from "preact/hooks";
import { copyLater } from "../../host";

/** The whole state as Python, the last step as Python, the map as CSV. */
export type Copyable = "state" | "step" | "csv";

/** How long a button says "Copied" (ms). */
const COPIED_MS = 1500;

export interface Copying {
  copied: Copyable | null;
  byHand: { what: Copyable; text: string } | null;
  copy(what: Copyable): void;
  close(): void;
}

/** Copying by `texts`, which ask the kernel; null when there is nothing to copy. */
export function useCopying(texts: (what: Copyable) => Promise<string | null>): Copying {
  const [copied, setCopied] = useState<Copyable | null>(null);
  const [byHand, setByHand] = useState<Copying["byHand"]>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = (what: Copyable): void => {
    const text = texts(what);
    void copyLater(text).then(async (left) => {
      if (left !== null) return setByHand({ what, text: left });
      if ((await text) === null) return undefined;
      setCopied(what);
      clearTimeout(timer.current);
      timer.current = setTimeout(() => setCopied(null), COPIED_MS);
      return undefined;
    });
  };
  return { copied, byHand, copy, close: () => setByHand(null) };
}
