// The parts that the form is made of: a labelled field, a choice, a strip of tokens.
import type { ComponentChildren, JSX } from "preact";
import { Token, tokenText } from "../../parts/token";
import type { Checked, Strip } from "../../protocol/generated";

/** Characters of a note, at most. */
const LONGEST = 500;

interface FieldProps {
  label: string;
  name: string;
  children: ComponentChildren;
  problem?: string | undefined;
}

export function Field({ label, name, children, problem }: FieldProps): JSX.Element {
  return (
    <div class="cb-lab-field" data-field={name}>
      {/* biome-ignore lint/a11y/noLabelWithoutControl: the control is the child. */}
      <label>
        <span>{label}</span>
        {children}
      </label>
      {problem && (
        <p class="cb-lab-problem" data-cb="form-problem">
          {problem}
        </p>
      )}
    </div>
  );
}

interface ChoiceProps<T extends string> {
  value: T;
  options: readonly { value: T; label: string }[];
  onChange: (value: T) => void;
  name: string;
}

export function Choice<T extends string>(props: ChoiceProps<T>): JSX.Element {
  return (
    <select
      class="jp-mod-styled"
      name={props.name}
      value={props.value}
      onChange={(event) => props.onChange(event.currentTarget.value as T)}
    >
      {props.options.map(({ value, label }) => (
        <option key={value} value={value}>
          {label}
        </option>
      ))}
    </select>
  );
}

/** Both runs, token above token; what differs is marked by colour and weight, and for screen readers in words. */
export function Strips(props: {
  clean: Strip | null;
  corrupted: Strip | null;
}): JSX.Element | null {
  const runs: [string, Strip][] = [];
  if (props.clean !== null) runs.push(["clean", props.clean]);
  if (props.corrupted !== null) runs.push(["corrupted", props.corrupted]);
  if (runs.length === 0) return null;
  const lengths = runs.map(([, strip]) => strip.tokens.length + strip.more);
  const shownColumns = Math.max(...runs.map(([, strip]) => strip.tokens.length));
  const more = Math.max(...runs.map(([, strip]) => strip.more));
  const aligned = new Set(lengths).size < 2;
  return (
    <div class="cb-lab-strips" data-cb="form-tokens" data-aligned={aligned}>
      <p>
        {runs.map(([name], i) => `${name} ${lengths[i]} tokens`).join(" above ")}
        {runs.length > 1 && (aligned ? ", aligned" : ", not of equal length")}
      </p>
      <ol>
        {Array.from({ length: shownColumns }, (_, position) => (
          <li key={`at ${position}`}>
            {runs.map(([name, strip]) => {
              const token = strip.tokens[position];
              const differs = strip.differs[position] ?? false;
              if (token === undefined) return <span key={name}>—</span>;
              return (
                <span key={name} class={differs ? "cb-lab-differs" : undefined} data-run={name}>
                  <Token text={token} id={strip.ids[position]} />
                  {differs && <span class="cb-lab-spoken"> differs</span>}
                </span>
              );
            })}
          </li>
        ))}
        {more > 0 && <li>… {more} more</li>}
      </ol>
    </div>
  );
}

/** What may not be meant by the prompts; told before the board is made, and it can be made all the same. */
export function Notes({ notes }: { notes: Checked["notes"] }): JSX.Element | null {
  if (notes.length === 0) return null;
  return (
    <ul
      class="cb-lab-notes"
      data-cb="form-notes"
      aria-label="Notes on the prompts"
      aria-live="polite"
    >
      {notes.map(({ code, text, where }) => (
        <li key={`${code} ${where}`} data-code={code}>
          <bdi>{tokenText(text, LONGEST)}</bdi>
        </li>
      ))}
    </ul>
  );
}
