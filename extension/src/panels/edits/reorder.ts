// Moving an edit by its handle: where it would come to stand, while it is dragged.
import { useRef, useState } from "preact/hooks";

export interface Reorder {
  /** The edit that is dragged, and the one whose place it would take. */
  dragged: { index: number; to: number } | null;
  start(index: number, event: PointerEvent): void;
}

function rowAt(list: Element, y: number): number | null {
  let nearest: { index: number; distance: number } | null = null;
  for (const row of list.querySelectorAll<HTMLElement>("[data-cb='edit']")) {
    const { top, height } = row.getBoundingClientRect();
    const distance = Math.abs(top + height / 2 - y);
    if (nearest === null || distance < nearest.distance)
      nearest = { index: Number(row.dataset.index), distance };
  }
  return nearest?.index ?? null;
}

/** The drag of a handle; `move` is called once, when it is let go elsewhere. */
export function useReorder(move: (index: number, to: number) => void): Reorder {
  const [dragged, setDragged] = useState<Reorder["dragged"]>(null);
  const now = useRef<Reorder["dragged"]>(null);
  const show = (next: Reorder["dragged"]): void => {
    now.current = next;
    setDragged(next);
  };
  const start = (index: number, event: PointerEvent): void => {
    const handle = event.currentTarget as HTMLElement;
    const list = handle.closest("ol.cb-edits");
    if (list === null || event.button !== 0) return;
    const { pointerId } = event;
    handle.setPointerCapture?.(pointerId);
    show({ index, to: index });
    const onMove = ({ clientY }: PointerEvent): void => {
      const to = rowAt(list, clientY);
      if (to !== null && to !== now.current?.to) show({ index, to });
    };
    const leave = (): void => {
      handle.removeEventListener("pointermove", onMove);
      handle.removeEventListener("pointerup", onUp);
      handle.removeEventListener("pointercancel", leave);
      show(null);
    };
    const onUp = (): void => {
      const to = now.current?.to ?? index;
      leave();
      if (to !== index) move(index, to);
    };
    handle.addEventListener("pointermove", onMove);
    handle.addEventListener("pointerup", onUp);
    handle.addEventListener("pointercancel", leave);
  };
  return { dragged, start };
}
