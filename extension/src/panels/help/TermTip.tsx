// One tooltip a panel, for whatever carries `data-term`: 300 ms after the pointer or the focus comes to
// rest on it, at once on a tap. It stays while the pointer is on it, and Escape puts it away.
import type { JSX } from "preact";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { type Entry, GLOSSARY, isTerm, type TermName } from "./glossary";
import { PAPERS } from "./papers";
import { inSight, placed } from "./place";

const OPEN_MS = 300;
/** Long enough to move the pointer from the word onto its definition (ms). */
const CLOSE_MS = 200;
/** Characters of an element's own title that are shown with it. */
const LONGEST = 400;

interface TipState {
  target: HTMLElement;
  name: TermName;
  open: boolean;
}

/** The element with a term that holds what an event is about. */
function termOf(target: EventTarget | null): { target: HTMLElement; name: TermName } | null {
  const term = target instanceof Element ? target.closest<HTMLElement>("[data-term]") : null;
  const name = term?.dataset.term;
  return term === null || !isTerm(name) ? null : { target: term, name };
}

/** The papers of an entry, as they are cited. */
export function cited(entry: Entry): string {
  return (entry.papers ?? []).map((paper) => PAPERS[paper].short).join(", ");
}

export function TermTip(): JSX.Element {
  const id = useId();
  const tip = useRef<HTMLDivElement>(null);
  const [state, setState] = useState<TipState | null>(null);
  const [note, setNote] = useState("");
  const now = useRef<TipState | null>(null);
  now.current = state;

  useLayoutEffect(() => {
    const root = tip.current?.closest<HTMLElement>(".cb-root");
    if (root === null || root === undefined) return undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let pinned = false;
    const later = (ms: number, next: (last: TipState | null) => TipState | null): void => {
      clearTimeout(timer);
      timer = setTimeout(() => setState(next), ms);
    };
    const close = (): void => {
      clearTimeout(timer);
      pinned = false;
      setState(null);
    };
    // Described at once, so that it is read out with the word; seen after a moment.
    const come = (term: { target: HTMLElement; name: TermName }, open: boolean): void => {
      if (now.current?.target === term.target) {
        if (now.current.open) clearTimeout(timer);
        return;
      }
      pinned = false;
      setState({ ...term, open });
      later(OPEN_MS, (last) => (last?.target === term.target ? { ...last, open: true } : last));
    };
    const on = <K extends keyof HTMLElementEventMap>(
      type: K,
      handle: (event: HTMLElementEventMap[K]) => void,
    ): (() => void) => {
      root.addEventListener(type, handle);
      return () => root.removeEventListener(type, handle);
    };
    const off = [
      on("pointerover", (event) => {
        if (event.pointerType === "touch") return;
        const term = termOf(event.target);
        if (term !== null) come(term, false);
        else if (event.target instanceof Node && tip.current?.contains(event.target) === true)
          clearTimeout(timer);
        else if (now.current !== null && !pinned) later(CLOSE_MS, () => null);
      }),
      on("pointerleave", () => {
        if (now.current !== null && !pinned) later(CLOSE_MS, () => null);
      }),
      on("focusin", (event) => {
        const term = termOf(event.target);
        if (term === null || !term.target.matches(":focus-visible")) return;
        come(term, false);
        pinned = true;
      }),
      on("focusout", () => {
        if (pinned) close();
      }),
      on("click", (event) => {
        const term = termOf(event.target);
        const word = term?.target.classList.contains("cb-term") === true;
        if (term === null || !word) return close();
        const again = now.current?.target === term.target && now.current.open && pinned;
        if (again) return close();
        clearTimeout(timer);
        pinned = true;
        setState({ ...term, open: true });
      }),
      (() => {
        // Wherever the focus is: what the pointer has opened covers something too.
        const page = root.ownerDocument;
        const onKey = (event: KeyboardEvent): void => {
          if (event.key !== "Escape" || now.current?.open !== true) return;
          if (event.composedPath().includes(root)) event.stopPropagation();
          close();
        };
        page.addEventListener("keydown", onKey, true);
        return () => page.removeEventListener("keydown", onKey, true);
      })(),
    ];
    return () => {
      clearTimeout(timer);
      for (const stop of off) stop();
    };
  }, []);

  const target = state?.target ?? null;
  useLayoutEffect(() => {
    if (target === null) return undefined;
    const before = target.getAttribute("aria-describedby");
    target.setAttribute("aria-describedby", id);
    // The browser's own tooltip would come up beside this one: what it says is said here.
    const titled = target.closest<HTMLElement>(".cb-root [title]");
    const title = titled?.title ?? "";
    titled?.removeAttribute("title");
    setNote(title.length > LONGEST ? `${title.slice(0, LONGEST)}\u2026` : title);
    return () => {
      if (titled !== null && !titled.hasAttribute("title")) titled.title = title;
      if (before === null) target.removeAttribute("aria-describedby");
      else target.setAttribute("aria-describedby", before);
    };
  }, [target, id]);
  // What it was about is gone: so is it.
  useEffect(() => {
    if (target !== null && !target.isConnected) setState(null);
  });
  useLayoutEffect(() => {
    const element = tip.current;
    const board = element?.closest<HTMLElement>(".cb-board");
    if (element === null || board === null || board === undefined || target === null) return;
    const frame = board.getBoundingClientRect();
    const { left, top } = placed(
      target.getBoundingClientRect(),
      { width: element.offsetWidth, height: element.offsetHeight },
      inSight(board),
    );
    element.style.left = `${left - frame.left - board.clientLeft}px`;
    element.style.top = `${top - frame.top - board.clientTop}px`;
  }, [target, state?.open, note]);

  const entry: Entry | null = state === null ? null : GLOSSARY[state.name];
  return (
    <div
      ref={tip}
      id={id}
      class="cb-term-tip"
      role="tooltip"
      data-cb="term-tip"
      data-open={state?.open === true}
    >
      {entry === null ? null : (
        <>
          <span class="cb-row">
            <span class="cb-strong cb-grow">{entry.name}</span>
            {entry.key === undefined ? null : <span class="cb-quiet-text">key {entry.key}</span>}
          </span>
          <span class="cb-term-says">{entry.says}</span>
          {note === "" ? null : <span class="cb-term-note">{note}</span>}
          {entry.papers === undefined ? null : <span class="cb-quiet-text">{cited(entry)}</span>}
        </>
      )}
    </div>
  );
}
