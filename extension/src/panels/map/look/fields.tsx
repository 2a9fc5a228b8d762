// A labelled row of the view menu, and the controls that stand in one.
import type { ComponentChildren, JSX } from "preact";
import { useId } from "preact/hooks";
import type { TermName } from "../../help/glossary";

/** Steps of a threshold's slider over the scale. */
const STEPS = 50;

export function Field({
  label,
  term,
  children,
}: {
  label: string;
  term?: TermName;
  children(id: string): ComponentChildren;
}): JSX.Element {
  const id = useId();
  return (
    <div class="cb-view-field">
      {term === undefined ? (
        <label for={id}>{label}</label>
      ) : (
        <label for={id} data-term={term}>
          {label}
        </label>
      )}
      {children(id)}
    </div>
  );
}

interface SelectProps {
  id: string;
  cb: string;
  value: string;
  options: readonly (readonly [value: string, text: string, refused?: string | null])[];
  disabled?: boolean;
  onChoose(value: string): void;
}

export function Select({ id, cb, value, options, disabled, onChoose }: SelectProps): JSX.Element {
  return (
    <select
      id={id}
      data-cb={cb}
      value={value}
      disabled={disabled}
      onChange={(event) => onChoose(event.currentTarget.value)}
    >
      {options.map(([option, text, refused]) => (
        <option
          key={option}
          value={option}
          disabled={typeof refused === "string"}
          title={refused ?? undefined}
        >
          {text}
        </option>
      ))}
    </select>
  );
}

interface ThresholdProps {
  id: string;
  cb: string;
  /** In the metric's unit, on a scale that ends at `end`. */
  value: number;
  end: number;
  text: string;
  onChange(value: number): void;
}

export function Threshold({ id, cb, value, end, text, onChange }: ThresholdProps): JSX.Element {
  const share = end > 0 ? Math.min(STEPS, Math.round((value / end) * STEPS)) : 0;
  return (
    <span class="cb-view-threshold">
      <input
        type="range"
        class="cb-slider"
        id={id}
        data-cb={cb}
        min={0}
        max={STEPS}
        value={share}
        disabled={end === 0}
        aria-valuetext={text}
        style={{ "--cb-at": `${(100 * share) / STEPS}%` }}
        onInput={(event) => onChange((Number(event.currentTarget.value) / STEPS) * end)}
      />
      <output for={id}>{text}</output>
    </span>
  );
}
