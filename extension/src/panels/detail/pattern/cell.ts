// A cell of an attention pattern.

/** From a token (row) to a token that it looks at (column), counted in the prompt's own tokens. */
export interface PatternCell {
  dest: number;
  src: number;
}

export const keyOf = ({ dest, src }: PatternCell): string => `${dest} ${src}`;
