import { useLayoutEffect } from "preact/hooks";

/**
 * Do this when the next frame is drawn, for what paints or asks where things are: done while the panel renders, the
 * page would be laid out once more, and the numbers would wait for that.
 */
export function useFrame(run: () => void, whenever: readonly unknown[]): void {
  useLayoutEffect(() => {
    const frame = requestAnimationFrame(run);
    return () => cancelAnimationFrame(frame);
  }, whenever);
}
