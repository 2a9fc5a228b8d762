/** Whether the reader asks for stillness: nothing is scrolled or moved smoothly then. */
export function prefersStillness(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
