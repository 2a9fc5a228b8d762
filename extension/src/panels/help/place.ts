// Where something that floats stands: beside what it is about, inside the panel, never on top of it.

export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export interface Placed {
  left: number;
  top: number;
  above: boolean;
}

/** Room between what floats and what it is about, and to the panel's edge (px). */
const GAP = 6;
const EDGE = 8;

/**
 * The corner of a box of this size that is about `anchor`: below it, or above where there is more room
 * within `bounds`; as far left as it takes to stay inside. All in the coordinates of `bounds`' parent.
 */
export function placed(anchor: Box, size: { width: number; height: number }, bounds: Box): Placed {
  const below = bounds.bottom - anchor.bottom - GAP;
  const over = anchor.top - bounds.top - GAP;
  const above = below < size.height && over > below;
  const top = above ? anchor.top - GAP - size.height : anchor.bottom + GAP;
  const last = bounds.right - EDGE - size.width;
  const left = Math.max(bounds.left + EDGE, Math.min(anchor.left, last));
  return { left, top, above };
}

/** The part of an element that can be seen in its window. */
export function inSight(element: Element): Box {
  const { left, top, right, bottom } = element.getBoundingClientRect();
  return {
    left,
    right,
    top: Math.max(top, 0),
    bottom: Math.min(bottom, element.ownerDocument.defaultView?.innerHeight ?? bottom),
  };
}
