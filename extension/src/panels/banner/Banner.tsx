// Trouble, in words: what was not done, why, and what to do.
import type { JSX } from "preact";
import { Button } from "../../parts/controls";
import { Icon } from "../../parts/icon";
import type { BoardState } from "../../store/state";
import type { Actions } from "../actions";

export function Banner({ state, act }: { state: BoardState; act: Actions }): JSX.Element | null {
  if (!state.connected) {
    return (
      <div class="cb-banner" role="alert" data-cb="banner">
        <Icon name="warn" />
        <span class="cb-grow">
          <b>No answer from the kernel.</b> If a cell is running, the panel goes on when it ends. If
          the kernel was restarted, run this cell again.
        </span>
      </div>
    );
  }
  if (state.trouble === null) return null;
  const { title, error } = state.trouble;
  return (
    <div class="cb-banner" role="alert" data-cb="banner" data-code={error.code}>
      <Icon name="warn" />
      <span class="cb-grow">
        <b>{title}</b> {error.message.slice(0, 600)}{" "}
        <span class="cb-quiet-text">({error.code})</span>
      </span>
      <Button cb="dismiss" onClick={act.dismiss}>
        Dismiss
      </Button>
    </div>
  );
}
