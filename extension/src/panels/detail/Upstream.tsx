// Questions about what comes before: what feeds the component, and who reads from its token.
import type { JSX } from "preact";
import { Button } from "../../parts/controls";
import { tokenText } from "../../parts/token";
import type { PromptRow, Trace } from "../../protocol/generated";
import type { Question } from "../../store/selection";
import type { TraceQuestion } from "../../store/tracing";
import { Term } from "../help/Term";
import { columnWords } from "./column";
import { headOf } from "./own_edits";

type Part = Trace["part"];

const NAMES: Record<Part, string> = { q: "query", k: "key", v: "value", in: "input" };

/** By which parts a component can be traced. */
export function partsOf(site: string): readonly Part[] {
  if (headOf(site) !== null) return ["q", "k", "v"];
  return /^(?:mlp_out|neuron) /.test(site) ? ["in"] : [];
}

interface UpstreamProps {
  now: Question;
  /** The column whose readers can be asked for; null for none. */
  token: number | null;
  prompt: PromptRow | undefined;
  off: boolean;
  onTrace(question: TraceQuestion): void;
}

export function Upstream({ now, token, prompt, off, onTrace }: UpstreamProps): JSX.Element | null {
  const parts = partsOf(now.site);
  if (parts.length === 0 && token === null) return null;
  return (
    <div class="cb-row cb-upstream">
      {parts.length === 0 ? null : (
        <>
          <h4 class="cb-h">
            <Term name="trace">Trace upstream</Term>
          </h4>
          {parts.map((part) => (
            <Button
              key={part}
              cb={`trace-${part}`}
              term={part === "in" ? "resid" : "qkv"}
              label={`Which earlier components move the ${NAMES[part]} of ${tokenText(now.site, 80)}`}
              disabled={off}
              onClick={() => onTrace({ kind: "trace", site: now.site, part })}
            >
              {part === "in" ? "input" : part}
            </Button>
          ))}
          <span class="cb-quiet-text">what feeds {tokenText(now.site, 80)} here</span>
        </>
      )}
      {token === null ? null : (
        <Button
          cb="trace-readers"
          label={`who reads ${columnWords(token, prompt)}: the heads that look at it`}
          disabled={off}
          onClick={() => onTrace({ kind: "readers", position: token, prompt: now.prompt })}
        >
          who reads {columnWords(token, prompt)}
        </Button>
      )}
    </div>
  );
}
