// The tour: a mark beside the real thing, one step at a time. Nothing is covered, nothing is forced:
// the board goes on working beneath it.
import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Button, IconButton } from "../../../parts/controls";
import { Icon } from "../../../parts/icon";
import type { BoardState } from "../../../store/state";
import { inSight, placed } from "../place";
import { progressOf, STEPS } from "./tour_steps";

/** How often the mark looks where its thing is: regions scroll and fill in by themselves (ms). */
const LOOK_MS = 250;

interface TourProps {
  state: BoardState;
  onClose(): void;
}

export function Tour({ state, onClose }: TourProps): JSX.Element | null {
  const [at, setAt] = useState(0);
  const mark = useRef<HTMLDivElement>(null);
  const ring = useRef<HTMLDivElement>(null);
  const atStart = useRef(progressOf(state));
  const step = STEPS[at] ?? STEPS[0];
  const targets = step?.targets(state) ?? [];
  const names = targets.join("|");

  const target = (): HTMLElement | null => {
    const board = mark.current?.closest(".cb-board");
    for (const selector of targets) {
      const element = board?.querySelector<HTMLElement>(selector);
      if (element !== null && element !== undefined && element.offsetParent !== null)
        return element;
    }
    return null;
  };
  const place = (): void => {
    const [box, outline] = [mark.current, ring.current];
    const board = box?.closest<HTMLElement>(".cb-board");
    if (box === null || outline === null || board === null || board === undefined) return;
    const about = target();
    const frame = board.getBoundingClientRect();
    const [x, y] = [frame.left + board.clientLeft, frame.top + board.clientTop];
    const anchor = (about ?? board).getBoundingClientRect();
    outline.hidden = about === null;
    outline.style.left = `${anchor.left - x - 4}px`;
    outline.style.top = `${anchor.top - y - 4}px`;
    outline.style.width = `${anchor.width + 8}px`;
    outline.style.height = `${anchor.height + 8}px`;
    const size = { width: box.offsetWidth, height: box.offsetHeight };
    const { left, top } = placed(anchor, size, inSight(board));
    box.style.left = `${left - x}px`;
    box.style.top = `${top - y}px`;
  };
  const latest = useRef(place);
  latest.current = place;

  useLayoutEffect(() => {
    atStart.current = progressOf(state);
    target()?.scrollIntoView({ block: "nearest", inline: "nearest" });
    mark.current?.focus();
  }, [at]);
  useLayoutEffect(place, [at, names, state]);
  useEffect(() => {
    const timer = setInterval(() => latest.current(), LOOK_MS);
    return () => clearInterval(timer);
  }, []);

  if (step === undefined) return null;
  const last = at === STEPS.length - 1;
  const done = step.done?.(progressOf(state), atStart.current) === true;
  return (
    <>
      <div ref={ring} class="cb-tour-ring" aria-hidden="true" />
      <div
        ref={mark}
        class="cb-tour"
        data-cb="tour"
        data-step={at + 1}
        role="dialog"
        aria-label={`Tour, ${at + 1} of ${STEPS.length}: ${step.title}`}
        tabIndex={-1}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          event.stopPropagation();
          onClose();
        }}
      >
        <div class="cb-row">
          <span class="cb-strong">{step.title}</span>
          <span class="cb-quiet-text">
            {at + 1} of {STEPS.length}
          </span>
          <span class="cb-grow" />
          <IconButton icon="x" cb="tour-skip" label="Skip the tour" onClick={onClose} />
        </div>
        <p role="status">
          {step.says(state)}
          {done ? (
            <span class="cb-tour-done">
              {" "}
              <Icon name="check" size={12} /> Done.
            </span>
          ) : null}
        </p>
        <div class="cb-row">
          <Button
            look="bare"
            cb="tour-there"
            title="Put the focus on what this step is about"
            onClick={() => {
              const enabled = "button:not([disabled])";
              const element = target();
              const inner = element?.matches(enabled) === true ? element : null;
              const near =
                element?.matches("button") === true ? element.closest("section") : element;
              (inner ?? near?.querySelector<HTMLElement>(enabled))?.focus();
            }}
          >
            Go to it
          </Button>
          <span class="cb-grow" />
          {at === 0 ? null : (
            <Button cb="tour-back" onClick={() => setAt(at - 1)}>
              Back
            </Button>
          )}
          <Button look="line" cb="tour-next" onClick={() => (last ? onClose() : setAt(at + 1))}>
            {last ? "Finish" : "Next"}
          </Button>
        </div>
      </div>
    </>
  );
}

interface OfferProps {
  onTake(): void;
  onDecline(): void;
}

/** One quiet line, once a browser. */
export function TourOffer({ onTake, onDecline }: OfferProps): JSX.Element {
  return (
    <p class="cb-offer" data-cb="tour-offer">
      <span>New here?</span>
      <button type="button" class="cb-link" onClick={onTake}>
        Take the tour
      </button>
      <span class="cb-quiet-text">five steps, one minute</span>
      <span class="cb-grow" />
      <IconButton icon="x" label="No tour" onClick={onDecline} />
    </p>
  );
}
