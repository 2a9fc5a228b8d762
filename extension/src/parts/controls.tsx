// The few controls the panel is made of.
import type {
  ComponentChildren,
  JSX,
  RefObject,
  TargetedKeyboardEvent,
  TargetedMouseEvent,
} from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { Icon } from "./icon";

/** Keys do not leave a button that is disabled: the focus goes to the next one that is not, for Ctrl-Z to go on. */
function useFocusWhileEnabled(disabled: boolean): RefObject<HTMLButtonElement | null> {
  const ref = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => {
    const own = ref.current;
    const root = own?.getRootNode() as Document | ShadowRoot | undefined;
    if (!disabled || own === null || root?.activeElement !== own) return;
    own.closest("section, [data-cb=board]")?.querySelector<HTMLElement>(ENABLED)?.focus();
  }, [disabled]);
  return ref;
}

const ENABLED = "button:not([disabled])";

interface ButtonProps {
  cb?: string;
  label?: string;
  title?: string | undefined;
  /** The word of the glossary that explains it. */
  term?: string;
  disabled?: boolean;
  look?: "quiet" | "line" | "bare";
  onClick(event: TargetedMouseEvent<HTMLButtonElement>): void;
  children: ComponentChildren;
}

/** Outline acts on the model, grey acts on the view. */
export function Button(props: ButtonProps): JSX.Element {
  const ref = useFocusWhileEnabled(props.disabled ?? false);
  return (
    <button
      ref={ref}
      type="button"
      class={`cb-btn cb-btn-${props.look ?? "quiet"}`}
      data-cb={props.cb}
      data-term={props.term}
      aria-label={props.label}
      title={props.title}
      disabled={props.disabled ?? false}
      onClick={props.onClick}
    >
      {props.children}
    </button>
  );
}

interface IconButtonProps {
  cb?: string;
  icon: "undo" | "redo" | "x" | "left" | "right" | "up" | "down" | "pencil";
  label: string;
  disabled?: boolean;
  onClick(event: TargetedMouseEvent<HTMLButtonElement>): void;
}

export function IconButton({ cb, icon, label, disabled, onClick }: IconButtonProps): JSX.Element {
  const ref = useFocusWhileEnabled(disabled ?? false);
  return (
    <button
      ref={ref}
      type="button"
      class="cb-btn cb-btn-icon"
      data-cb={cb}
      aria-label={label}
      title={label}
      disabled={disabled ?? false}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}

interface SwitchProps {
  cb: string;
  label: string;
  on: boolean;
  disabled?: boolean;
  onClick(): void;
}

export function Switch({ cb, label, on, disabled, onClick }: SwitchProps): JSX.Element {
  return (
    <button
      type="button"
      role="switch"
      class="cb-switch"
      data-cb={cb}
      aria-checked={on}
      aria-label={label}
      disabled={disabled ?? false}
      onClick={onClick}
    >
      <span class="cb-knob" />
    </button>
  );
}

export interface Choice<T extends string> {
  value: T;
  text: string;
  /** Why it cannot be chosen; null when it can. */
  refused: string | null;
  title?: string;
  /** The word of the glossary that explains it. */
  term?: string;
}

interface SegmentedProps<T extends string> {
  cb: string;
  label: string;
  choices: readonly Choice<T>[];
  value: T | null;
  disabled?: boolean;
  onChoose(value: T): void;
}

/** One of few, as a radio group: one tab stop, arrows move and choose. */
export function Segmented<T extends string>(props: SegmentedProps<T>): JSX.Element {
  const { choices, value, onChoose } = props;
  const disabled = props.disabled ?? false;
  const open = choices.filter((choice) => choice.refused === null);
  const stop = open.some((choice) => choice.value === value) ? value : (open[0]?.value ?? null);
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLElement>): void => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step === undefined || open.length === 0) return;
    event.preventDefault();
    event.stopPropagation();
    const at = open.findIndex((choice) => choice.value === value);
    const next = open[(at + step + open.length) % open.length];
    if (next === undefined) return;
    onChoose(next.value);
    event.currentTarget.querySelector<HTMLElement>(`[data-value="${next.value}"]`)?.focus();
  };
  return (
    <span
      class="cb-seg"
      role="radiogroup"
      aria-label={props.label}
      data-cb={props.cb}
      data-value={value ?? ""}
      onKeyDown={onKeyDown}
    >
      {choices.map((choice) => (
        // biome-ignore lint/a11y/useSemanticElements: a segmented button is drawn as one, which an input cannot be.
        <button
          type="button"
          role="radio"
          key={choice.value}
          data-value={choice.value}
          aria-checked={choice.value === value}
          tabIndex={choice.value === stop ? 0 : -1}
          disabled={disabled || choice.refused !== null}
          title={choice.refused ?? choice.title}
          data-term={choice.refused === null ? choice.term : undefined}
          aria-description={choice.refused ?? undefined}
          onClick={() => onChoose(choice.value)}
        >
          {choice.text}
        </button>
      ))}
    </span>
  );
}
