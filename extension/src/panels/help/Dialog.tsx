// A dialog over the page: the focus goes in, stays in, and goes back to where it came from.
import type { ComponentChildren, JSX, TargetedKeyboardEvent } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

/** What has the focus, also where the panel lives in a shadow tree. */
export function focusedIn(element: Element): Element | null {
  const tree = element.getRootNode();
  return "activeElement" in tree ? (tree as Document | ShadowRoot).activeElement : null;
}

const FOCUSABLE =
  'button:not([disabled]), input:not([disabled]), textarea, select, a[href], [tabindex="0"]';

interface DialogProps {
  cb: string;
  label: string;
  onClose(): void;
  children: ComponentChildren;
}

export function Dialog({ cb, label, onClose, children }: DialogProps): JSX.Element {
  const ref = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const dialog = ref.current;
    if (dialog === null) return undefined;
    const before = focusedIn(dialog);
    dialog.showModal();
    (dialog.querySelector<HTMLElement>("[data-first]") ?? dialog).focus();
    return () => {
      if (dialog.open) dialog.close();
      // Not where something else has taken the focus meanwhile, as a found cell has.
      const now = focusedIn(dialog);
      const lost = now === null || now === dialog.ownerDocument.body || dialog.contains(now);
      if (lost && before instanceof HTMLElement) before.focus();
    };
  }, []);
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLDialogElement>): void => {
    // Keys in a dialog are its own: neither the panel nor the notebook acts on them.
    event.stopPropagation();
    if (event.key === "Escape") {
      event.preventDefault();
      onClose();
    }
    if (event.key !== "Tab") return;
    const all = [...event.currentTarget.querySelectorAll<HTMLElement>(FOCUSABLE)];
    const [first, last] = [all[0], all.at(-1)];
    const activeElement = focusedIn(event.currentTarget);
    const leaves = event.shiftKey
      ? activeElement === first || activeElement === event.currentTarget
      : activeElement === last;
    if (!leaves) return;
    event.preventDefault();
    (event.shiftKey ? last : first)?.focus();
  };
  return (
    <dialog
      ref={ref}
      class="cb-modal"
      data-cb={cb}
      aria-label={label}
      tabIndex={-1}
      onKeyDown={onKeyDown}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        // The dialog's own box is filled by its content: what is clicked itself is the backdrop.
        if (event.target === event.currentTarget) onClose();
      }}
    >
      <div class="cb-modal-body">{children}</div>
    </dialog>
  );
}
