import { useEffect, useRef, useState } from "preact/hooks";

/** How long something passing goes unmentioned (ms). */
export const CALM_MS = 150;

/**
 * `value`, except that one which is only passing takes the place of the last lasting one after a
 * moment: what is over sooner than an eye can follow does not flicker.
 */
export function useCalm<T>(value: T, passing: boolean): T {
  const lasting = useRef<{ value: T } | null>(null);
  const [patient, setPatient] = useState(true);
  useEffect(() => {
    if (!passing) {
      setPatient(true);
      return undefined;
    }
    const timer = setTimeout(() => setPatient(false), CALM_MS);
    return () => clearTimeout(timer);
  }, [passing]);
  if (!passing) lasting.current = { value };
  return passing && patient && lasting.current !== null ? lasting.current.value : value;
}
