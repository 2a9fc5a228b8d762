// A word of the field, in place: the definition opens on it by pointer, focus or tap.
import type { ComponentChildren, JSX } from "preact";
import type { TermName } from "./glossary";

interface TermProps {
  name: TermName;
  children: ComponentChildren;
}

/** A word within text. What is already a control carries `data-term` itself. */
export function Term({ name, children }: TermProps): JSX.Element {
  return (
    <button type="button" class="cb-term" data-term={name}>
      {children}
    </button>
  );
}
