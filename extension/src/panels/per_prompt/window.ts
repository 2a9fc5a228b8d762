// Which rows of a long table are drawn: those in sight and some around them.

/** Height of a row (px), as in the style sheet. */
export const ROW = 22;
/** Height of the box in which a long table scrolls (px), as in the style sheet. */
export const BOX = 330;
/** Rows drawn above and below those in sight. */
const AROUND = 20;

/** A table of no more rows is drawn whole: the browser finds its words, and it is no work. */
const WHOLE = 200;

export interface Range {
  from: number;
  to: number;
}

/** The rows from `from` up to `to` for a box that is scrolled by so many pixels. */
export function inSight(n: number, scrolled: number): Range {
  if (n <= WHOLE) return { from: 0, to: n };
  const first = Math.floor(scrolled / ROW);
  const from = Math.max(0, Math.min(first, n - Math.ceil(BOX / ROW)) - AROUND);
  return { from, to: Math.min(n, Math.max(first, 0) + Math.ceil(BOX / ROW) + AROUND) };
}
