// The line between two regions: drag it, or move it with the arrows; a double click puts it back.
import type { JSX, TargetedKeyboardEvent, TargetedPointerEvent } from "preact";
import { useRef } from "preact/hooks";
import { clamp } from "./regions";

/** How far an arrow moves it, and how far with Shift, in its own unit. */
const STEP = 1;
const BIG = 5;

interface SeparatorProps {
  cb: string;
  label: string;
  /** Which way the line runs. */
  runs: "down" | "across";
  /** What a reader hears as its value. */
  words: string;
  measure: { now: number; least: number; most: number };
  /** How many of its units a pixel is; negative where it grows to the left. */
  perPixel: number;
  /** Units of one arrow key. */
  step: number;
  onMove(to: number): void;
  /** The move is over: it may be kept. */
  onRest(): void;
  onReset(): void;
}

export function Separator(props: SeparatorProps): JSX.Element {
  const { measure, perPixel, runs, step } = props;
  const drag = useRef<{ from: number; at: number } | null>(null);
  const place = ({ clientX, clientY }: PointerEvent): number =>
    runs === "down" ? clientX : clientY;
  const go = (to: number): void => props.onMove(clamp(to, measure.least, measure.most));

  const onKeyDown = (event: TargetedKeyboardEvent<HTMLElement>): void => {
    const by = step * (event.shiftKey ? BIG : STEP) * Math.sign(perPixel);
    const [less, more] = runs === "down" ? ["ArrowLeft", "ArrowRight"] : ["ArrowUp", "ArrowDown"];
    const to = {
      [less as string]: measure.now - by,
      [more as string]: measure.now + by,
      Home: measure.least,
      End: measure.most,
    }[event.key];
    if (to === undefined && event.key !== "Enter") return;
    event.preventDefault();
    event.stopPropagation();
    if (to === undefined) props.onReset();
    else {
      go(to);
      props.onRest();
    }
  };
  const over = (event: TargetedPointerEvent<HTMLElement>): void => {
    if (drag.current === null) return;
    drag.current = null;
    event.currentTarget.classList.remove("cb-dragged");
    props.onRest();
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a rule between two regions that can be moved; hr cannot.
    <div
      role="separator"
      class={`cb-sep cb-sep-${runs}`}
      data-cb={props.cb}
      tabIndex={0}
      title="Drag to resize; double-click to reset"
      aria-label={props.label}
      aria-orientation={runs === "down" ? "vertical" : "horizontal"}
      aria-valuenow={Math.round(measure.now)}
      aria-valuemin={Math.round(measure.least)}
      aria-valuemax={Math.round(Math.max(measure.most, measure.least))}
      aria-valuetext={props.words}
      onKeyDown={onKeyDown}
      onDblClick={props.onReset}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        // No text is selected while it moves.
        event.preventDefault();
        event.currentTarget.focus({ preventScroll: true });
        event.currentTarget.setPointerCapture?.(event.pointerId);
        event.currentTarget.classList.add("cb-dragged");
        drag.current = { from: measure.now, at: place(event) };
      }}
      onPointerMove={(event) => {
        const { current } = drag;
        if (current !== null) go(current.from + (place(event) - current.at) * perPixel);
      }}
      onPointerUp={over}
      onPointerCancel={over}
      onLostPointerCapture={over}
    />
  );
}
