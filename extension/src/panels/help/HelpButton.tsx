// The way to the help for those who do not press keys to find out.
import type { JSX } from "preact";
import { useHelp } from "./context";

export function HelpButton(): JSX.Element {
  const { show } = useHelp();
  return (
    <button
      type="button"
      class="cb-btn cb-btn-icon"
      data-cb="help-button"
      aria-label="Help: keyboard, words, tour (?)"
      title="Keyboard, words, tour (?)"
      onClick={() => show("keys")}
    >
      ?
    </button>
  );
}
