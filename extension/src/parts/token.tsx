// Tokens are data: of any length, with any characters. What is drawn is short, visible and inert.
import { Fragment, type JSX } from "preact";

const LONGEST = 32;
const NAMES: Record<string, string> = { "\n": "\u23ce", "\t": "\u21e5", "\r": "\u240d" };
// Controls, and what has no shape of its own: joiners, and every mark that turns the text around it.
const INVISIBLE = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

function visible(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (NAMES[character] !== undefined) return NAMES[character];
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  return `\u2039${code.toString(16)}\u203a`;
}

/** A token in one short line, without its leading space; invisible characters are named. */
export function tokenText(token: string, longest = LONGEST): string {
  const head =
    token.length > longest
      ? `${[...token.slice(0, longest)].slice(0, longest - 1).join("")}\u2026`
      : token;
  return head.replace(INVISIBLE, visible);
}

/** The same with the leading space as `·`, for labels and titles. */
export function tokenWords(token: string, longest = LONGEST): string {
  return token.startsWith(" ") && token.length > 1
    ? `\u00b7${tokenText(token.slice(1), longest)}`
    : tokenText(token, longest);
}

/** The tokens of an answer: several are joined by the kernel, as in " Mary | John". */
export function answersOf(answer: string): string[] {
  return answer.split(" |");
}

/** A token as it is drawn everywhere: leading space as a quiet `·`, isolated from its neighbours. */
export function Token({
  text,
  longest = LONGEST,
}: {
  text: string;
  longest?: number;
}): JSX.Element {
  const spaced = text.startsWith(" ") && text.length > 1;
  return (
    <bdi class="cb-token">
      {spaced ? <span class="cb-space">{"\u00b7"}</span> : null}
      {tokenText(spaced ? text.slice(1) : text, longest)}
    </bdi>
  );
}

/** An answer, or several as alternatives. */
export function Answer({ text, longest }: { text: string; longest: number }): JSX.Element {
  return (
    <>
      {answersOf(text).map((token, i) => (
        <Fragment key={i}>
          {i === 0 ? null : <span class="cb-quiet-text"> or </span>}
          <Token text={token} longest={longest} />
        </Fragment>
      ))}
    </>
  );
}
