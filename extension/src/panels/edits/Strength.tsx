// How strong an edit is: a slider whose drag is drawn as it goes and is one step of the history, and a
// field in which Enter, or leaving it, sets a number, and Escape takes the typing back.
import type { JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { attribute, plain } from "../../parts/number";
import { Drag } from "./dragged";
import { type Span, spanOf } from "./strength_scale";

interface StrengthProps {
  strength: number;
  how: string;
  /** What it is the strength of. */
  name: string;
  disabled: boolean;
  /** Changes whenever the kernel has said something new: what was typed is settled then. */
  settled: unknown;
  onSet(strength: number): void;
  /** One strength of a drag; true once it is drawn. */
  onDrag(strength: number, drag: string): Promise<boolean>;
}

function Field(props: StrengthProps & { live: number | null }): JSX.Element {
  const { strength, how, name, disabled, settled, onSet, live } = props;
  const [typed, setTyped] = useState<string | null>(null);
  const sent = useRef<number | null>(null);
  // At once: later it could take back what has been typed since.
  useLayoutEffect(() => {
    setTyped(null);
    sent.current = null;
  }, [strength, settled]);
  const commit = (): void => {
    if (typed === null) return;
    const wanted = typed.trim() === "" ? Number.NaN : Number(typed);
    if (!Number.isFinite(wanted) || wanted === strength) setTyped(null);
    // Leaving the field after Enter is not a second step.
    else if (sent.current !== wanted) {
      sent.current = wanted;
      onSet(wanted);
    }
  };
  const label = `Strength of ${how} ${name}; Enter sets it`;
  return (
    <input
      type="number"
      step="any"
      class="cb-field cb-strength"
      data-cb="edit-strength"
      aria-label={label}
      title={label}
      disabled={disabled}
      value={typed ?? attribute(live ?? strength)}
      onInput={(event) => setTyped(event.currentTarget.value)}
      onBlur={commit}
      onKeyDown={(event) => {
        if (event.key === "Enter") commit();
        else if (event.key === "Escape") setTyped(null);
        // Keys of a field are its own: neither the panel nor the notebook may act on them.
        event.stopPropagation();
      }}
    />
  );
}

interface SliderProps extends StrengthProps {
  live: number | null;
  onLive(strength: number | null): void;
}

function Slider(props: SliderProps): JSX.Element {
  const { strength, how, name, disabled, live, onLive, onDrag } = props;
  const drag = useRef<Drag | null>(null);
  const held = useRef(false);
  const span = useRef<Span>(spanOf(how, strength));
  // The ends stand still while it is dragged.
  if (live === null) span.current = spanOf(how, strength);
  const { min, max, step } = span.current;
  const begun = (): Drag => {
    if (drag.current !== null) return drag.current;
    const id = `${Date.now().toString(36)}${Math.random().toString(36).slice(1)}`;
    const mine = new Drag(
      (wanted) => onDrag(wanted, id),
      () => {
        if (drag.current !== mine) return;
        drag.current = null;
        onLive(null);
      },
    );
    drag.current = mine;
    return mine;
  };
  const value = live ?? strength;
  return (
    <input
      type="range"
      class="cb-slider"
      data-cb="edit-slider"
      aria-label={`Strength of ${how} ${name}`}
      aria-valuetext={`times ${plain(value)}`}
      title="Drag to try strengths; letting go keeps the last one, as one step of the history"
      min={min}
      max={max}
      step={step}
      disabled={disabled}
      value={value}
      style={{ "--cb-at": `${(100 * (value - min)) / (max - min)}%` }}
      onInput={(event) => {
        const wanted = Number(event.currentTarget.value);
        onLive(wanted);
        begun().want(wanted);
      }}
      onChange={() => {
        // A key that is held down is one drag, as long as it is held.
        if (!held.current) drag.current?.release();
      }}
      // A drag that ends where the last one did is no change.
      onPointerUp={() => drag.current?.release()}
      onPointerCancel={() => drag.current?.release()}
      onKeyDown={(event) => {
        if (event.key !== "Tab" && !event.ctrlKey && !event.metaKey) event.stopPropagation();
        held.current = true;
      }}
      onKeyUp={() => {
        held.current = false;
        drag.current?.release();
      }}
      onBlur={() => {
        held.current = false;
        drag.current?.release();
      }}
    />
  );
}

export function Strength(props: StrengthProps): JSX.Element {
  const [live, setLive] = useState<number | null>(null);
  return (
    <span class="cb-edit-strength">
      <span class="cb-quiet-text">strength</span>
      <Slider {...props} live={live} onLive={setLive} />
      <span aria-hidden="true">{"\u00d7"}</span>
      <Field {...props} live={live} />
    </span>
  );
}
