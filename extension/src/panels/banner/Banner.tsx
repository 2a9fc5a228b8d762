// Trouble, in words: what was not done, why, and one way out.
import type { ComponentChildren, JSX, RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { canRunCell, runCell } from "../../host";
import { Button } from "../../parts/controls";
import { Icon } from "../../parts/icon";
import { tokenText } from "../../parts/token";
import type { BoardState } from "../../store/state";
import type { Actions } from "../actions";
import type { Copying } from "../code/copying";
import { clock } from "../header/clock";

/** Characters of a message, at most. */
const LONGEST = 600;

interface BannerProps {
  state: BoardState;
  act: Actions;
  copying: Copying;
}

/** Keys stay in the board when the button that was pressed goes with its banner: Ctrl-Z is the board's then too. */
function useFocusLeftToBoard(): RefObject<HTMLDivElement | null> {
  const ref = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const own = ref.current;
    return () => {
      const root = own?.getRootNode() as Document | ShadowRoot | undefined;
      if (own?.contains(root?.activeElement ?? null) !== true) return;
      const others = own
        .closest("[data-cb=board]")
        ?.querySelectorAll<HTMLElement>("button:not([disabled])");
      [...(others ?? [])].find((button) => !own.contains(button))?.focus();
    };
  }, []);
  return ref;
}

interface FrameProps {
  code?: string;
  children: ComponentChildren;
}

function Frame({ code, children }: FrameProps): JSX.Element {
  return (
    <div
      class="cb-banner"
      role="alert"
      data-cb="banner"
      data-code={code}
      ref={useFocusLeftToBoard()}
    >
      <Icon name="warn" />
      {children}
    </div>
  );
}

function Gone({ state, copying }: Omit<BannerProps, "act">): JSX.Element {
  const { snapshot, lostAt, code } = state;
  const before = code !== null && snapshot !== null && code.revision !== snapshot.revision;
  return (
    <Frame>
      <span class="cb-grow">
        <b>
          {state.gone
            ? "The kernel does not have this board any more."
            : "No answer from the kernel."}
        </b>
        {snapshot === null ? "" : ` The numbers are from ${clock(lostAt)}.`}{" "}
        {state.gone
          ? "It was closed, or nothing referred to it: run this cell again, and keep the board in a variable."
          : "If a cell is running, the panel goes on when it ends. If the kernel was restarted, run this cell again."}
      </span>
      {canRunCell() ? (
        <Button
          cb="run-cell"
          look="line"
          title="Run the cell that made this board once more"
          onClick={({ currentTarget }) => runCell(currentTarget)}
        >
          Run this cell
        </Button>
      ) : null}
      {code === null ? null : (
        <Button
          cb="copy-kept"
          title={
            before
              ? "Copy Python that rebuilds the state before the last step: of the last one there is none yet"
              : "Copy Python that rebuilds this state"
          }
          onClick={() => copying.copy("state")}
        >
          {copying.copied === "state" ? "Copied" : before ? "Copy earlier Python" : "Copy Python"}
        </Button>
      )}
    </Frame>
  );
}

function Changed({
  change,
  state,
  act,
}: { change: string } & Omit<BannerProps, "copying">): JSX.Element {
  const busy = state.inFlight.length > 0;
  // What became of a step is said too, unless it is this very change.
  const other =
    state.trouble === null || state.trouble.error.code === "model_changed" ? null : state.trouble;
  return (
    <Frame code="model_changed">
      <span class="cb-grow">
        <b>Your model has changed:</b> {tokenText(change, LONGEST)}
        {/[.!?]$/.test(change) ? "" : "."} These numbers are of the model before; edits, history and
        names stay when it is measured again.
        {other === null
          ? ""
          : ` ${tokenText(other.title, 200)} ${tokenText(other.error.message, LONGEST)}`}
      </span>
      <Button
        cb="refresh"
        look="line"
        title="Run your model as it is now, and compute the edits again: board.refresh()"
        disabled={busy}
        onClick={act.refresh}
      >
        Measure again
      </Button>
    </Frame>
  );
}

export function Banner({ state, act, copying }: BannerProps): JSX.Element | null {
  if (!state.connected) return <Gone state={state} copying={copying} />;
  const change = state.snapshot?.model_changed ?? null;
  if (change !== null) return <Changed change={change} state={state} act={act} />;
  if (state.trouble === null) return null;
  const { title, error, again } = state.trouble;
  return (
    <Frame code={error.code}>
      <span class="cb-grow">
        <b>{tokenText(title, 200)}</b> {tokenText(error.message, LONGEST)}{" "}
        <span class="cb-quiet-text">({tokenText(error.code, 60)})</span>
      </span>
      {again === null ? null : (
        <Button cb="again" look="line" title="Ask for the same once more" onClick={act.again}>
          Try again
        </Button>
      )}
      <Button cb="dismiss" onClick={act.dismiss}>
        Dismiss
      </Button>
    </Frame>
  );
}
