// What a component writes, as tokens.
import type { JSX } from "preact";
import type { PromptRow, WritesView } from "../../protocol/generated";
import { Term } from "../help/Term";
import { columnWords } from "./column";
import { Moved } from "./Moved";
import type { Run } from "./pattern/Pattern";

interface WritesProps {
  writes: WritesView;
  prompt: PromptRow | undefined;
  run: Run;
  head: boolean;
}

const NOTHING: Record<Run, string> = {
  current: "Nothing: its output is 0 here now.",
  base: "Nothing: its output is 0 here.",
  difference: "The edits change nothing here.",
};

export function Writes({ writes, prompt, run, head }: WritesProps): JSX.Element {
  const where = columnWords(writes.position, prompt);
  const words = run === "difference" ? "now minus base" : run === "base" ? "base run" : "now";
  return (
    <div class="cb-writes" data-cb="writes" data-run={run}>
      <h4 class="cb-h">Writes at {where}</h4>
      <p class="cb-small cb-quiet-text">
        {head ? <Term name="ov">OV</Term> : "Straight to the logits"}, logits, {words}
      </p>
      <Moved
        moves={{ current: writes.current, base: writes.base, difference: writes.change }[run]}
        up={5}
        down={3}
        label={`Tokens that it raises and lowers most at ${where}, in logits, ${words}`}
        nothing={NOTHING[run]}
      />
    </div>
  );
}
