// Tokens are data: of any length, with any characters. What is drawn is short, visible and inert.
//
// Their names come from Python (prompts/token_name.py), which names what is not seen. Here a name gets its leading space
// as `·`, is cut to the room there is, and, like any other text, is kept from turning what stands around it.
import { Fragment, type JSX } from "preact";
import { MARKS, SPACE } from "../protocol/vocabulary.gen";

const LONGEST = 32;
/** Characters of a name that a title shows. */
const TITLE = 240;
const SIGNS: Readonly<Record<string, string>> = MARKS;
// Controls, what has no shape of its own (joiners, marks that turn the text around them, halves of characters), and
// every space but the common one.
const INVISIBLE = /(?! )[\p{C}\p{Z}]/gu;

function visible(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (SIGNS[character] !== undefined) return SIGNS[character];
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  return `\u27e8U+${code.toString(16).toUpperCase().padStart(4, "0")}\u27e9`;
}

/** A text in one short line; invisible characters are named. Of a token, without its leading space. */
export function tokenText(token: string, longest = LONGEST): string {
  // Enough to know whether there are more characters than so many, of a text of any length.
  const letters = token.length > longest ? [...token.slice(0, 2 * longest + 1)] : [];
  const head = letters.length > longest ? `${letters.slice(0, longest - 1).join("")}\u2026` : token;
  return head.replace(INVISIBLE, visible);
}

/** The same with the leading space as `·`, for labels and titles. */
export function tokenWords(token: string, longest = LONGEST): string {
  return token.startsWith(" ")
    ? SPACE + tokenText(token.slice(1), longest)
    : tokenText(token, longest);
}

/** A token by name and id, for a title. */
export function tokenTitle(token: string, id: number): string {
  return `${tokenWords(token, TITLE)} = ${id}`;
}

interface TokenProps {
  text: string;
  longest?: number;
  /** Shown on hover, and after a name that is cut: two tokens that begin alike are still told apart. */
  id?: number | null | undefined;
}

/** A token as it is drawn everywhere: leading space as a quiet `·`, isolated from its neighbours. */
export function Token({ text, longest = LONGEST, id }: TokenProps): JSX.Element {
  const spaced = text.startsWith(" ");
  const own = spaced ? text.slice(1) : text;
  const known = id !== undefined && id !== null;
  return (
    <bdi class="cb-token" title={known ? tokenTitle(text, id) : undefined}>
      {spaced ? <span class="cb-space">{SPACE}</span> : null}
      {tokenText(own, longest)}
      {known && own.length > longest ? <span class="cb-quiet-text">{` #${id}`}</span> : null}
    </bdi>
  );
}

/** An answer, or several as alternatives. */
export function Answer({
  tokens,
  longest,
}: {
  tokens: readonly string[];
  longest: number;
}): JSX.Element {
  return (
    <>
      {tokens.map((token, i) => (
        <Fragment key={i}>
          {i === 0 ? null : <span class="cb-quiet-text"> or </span>}
          <Token text={token} longest={longest} />
        </Fragment>
      ))}
    </>
  );
}
