// A name in its place, and the field that changes it: F2 or a double click, Enter keeps, Escape does not.
import type { ComponentChildren, JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

/** Characters that the kernel takes. */
const LONGEST = 80;

interface NameFieldProps {
  name: string;
  label: string;
  /** With what was typed; null where it is what it was. */
  onEnd(name: string | null): void;
}

export function NameField({ name, label, onEnd }: NameFieldProps): JSX.Element {
  const field = useRef<HTMLInputElement>(null);
  const over = useRef(false);
  useLayoutEffect(() => {
    field.current?.focus();
    field.current?.select();
  }, []);
  const end = (text: string | null): void => {
    // Taking the field away blurs it, which is not a second answer.
    if (over.current) return;
    over.current = true;
    const typed = text?.trim() ?? name;
    onEnd(typed === name ? null : typed);
  };
  return (
    <input
      ref={field}
      type="text"
      class="cb-field cb-name-field"
      data-cb="name-field"
      aria-label={label}
      maxLength={LONGEST}
      defaultValue={name}
      onBlur={(event) => end(event.currentTarget.value)}
      onKeyDown={(event) => {
        // Keys of a field are its own: neither the panel nor the notebook may act on them.
        event.stopPropagation();
        if (event.key === "Enter") end(event.currentTarget.value);
        else if (event.key === "Escape") end(null);
        else return;
        event.preventDefault();
      }}
    />
  );
}

interface NameProps {
  cb: string;
  label: string;
  title: string;
  class: string;
  disabled: boolean;
  /** Whether it can be called otherwise. */
  renaming: boolean;
  onClick(event: MouseEvent): void;
  onRename(how: "key" | "mouse"): void;
  children: ComponentChildren;
}

export function Name(props: NameProps): JSX.Element {
  return (
    <button
      type="button"
      class={`cb-name ${props.class}`}
      data-cb={props.cb}
      aria-label={props.label}
      title={props.title}
      disabled={props.disabled}
      onClick={props.onClick}
      onDblClick={() => {
        if (props.renaming) props.onRename("mouse");
      }}
      onKeyDown={(event) => {
        if (event.key !== "F2" || !props.renaming) return;
        event.preventDefault();
        event.stopPropagation();
        props.onRename("key");
      }}
    >
      {props.children}
    </button>
  );
}
