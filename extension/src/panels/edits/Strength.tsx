// How strong an edit is, as a field: Enter or leaving it commits, Escape takes the typing back.
import type { JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { attribute } from "../../parts/number";

interface StrengthProps {
  strength: number;
  label: string;
  disabled: boolean;
  /** Changes whenever the kernel has said something new: what was typed is settled then. */
  settled: unknown;
  onSet(strength: number): void;
}

export function Strength({
  strength,
  label,
  disabled,
  settled,
  onSet,
}: StrengthProps): JSX.Element {
  const [typed, setTyped] = useState<string | null>(null);
  const sent = useRef<number | null>(null);
  // At once: later it could take back what has been typed since.
  useLayoutEffect(() => {
    setTyped(null);
    sent.current = null;
  }, [strength, settled]);
  const commit = (): void => {
    if (typed === null) return;
    const wanted = typed.trim() === "" ? Number.NaN : Number(typed);
    if (!Number.isFinite(wanted) || wanted === strength) setTyped(null);
    // Leaving the field after Enter is not a second step.
    else if (sent.current !== wanted) {
      sent.current = wanted;
      onSet(wanted);
    }
  };
  return (
    <input
      type="number"
      step="any"
      class="cb-strength"
      data-cb="edit-strength"
      aria-label={label}
      title={label}
      disabled={disabled}
      value={typed ?? attribute(strength)}
      onInput={(event) => setTyped(event.currentTarget.value)}
      onBlur={commit}
      onKeyDown={(event) => {
        if (event.key === "Enter") commit();
        else if (event.key === "Escape") setTyped(null);
        // Keys of a field are its own: neither the panel nor the notebook may act on them.
        event.stopPropagation();
      }}
    />
  );
}
