// The OV and the QK circuit of a head between two tokens.
import type { JSX } from "preact";
import { Button } from "../../parts/controls";
import { tokenText } from "../../parts/token";
import type { CircuitView, PromptRow } from "../../protocol/generated";
import { Term } from "../help/Term";
import { columnWords } from "./column";
import { Moved } from "./Moved";

interface CircuitProps {
  circuit: CircuitView | null;
  wanted: boolean;
  prompt: PromptRow | undefined;
  off: boolean;
  onWant(wanted: boolean): void;
}

export function Circuit({ circuit, wanted, prompt, off, onWant }: CircuitProps): JSX.Element {
  const at = (column: number): string => columnWords(column, prompt);
  return (
    <div class="cb-part" data-cb="circuit" data-open={wanted}>
      <div class="cb-row cb-part-head">
        <h4 class="cb-h">Circuits</h4>
        <span class="cb-quiet-text">
          {circuit === null
            ? "what it copies, what it looks for"
            : `${at(circuit.row)} reading ${at(circuit.source)}`}
        </span>
        <span class="cb-grow" />
        <Button
          cb="detail-circuit"
          label={wanted ? "Close the OV and QK circuits" : "Read the OV and QK circuits"}
          disabled={off}
          onClick={() => onWant(!wanted)}
        >
          {wanted ? "Close" : "OV and QK"}
        </Button>
      </div>
      {wanted && circuit === null ? <p class="cb-note">Reading{"\u2026"}</p> : null}
      {wanted && circuit !== null ? (
        <div class="cb-pair">
          <div>
            <p class="cb-small cb-quiet-text">
              <Term name="ov">OV</Term>: copying {at(circuit.source)} writes, logits
            </p>
            <Moved
              moves={circuit.copying}
              up={5}
              down={3}
              label={`Tokens that attending to ${at(circuit.source)} alone would raise and lower most, in logits`}
              nothing="Nothing."
            />
          </div>
          <div>
            <p class="cb-small cb-quiet-text">
              <Term name="qk">QK</Term>: {at(circuit.row)} looks for, score
            </p>
            {circuit.keys === null ? (
              <p class="cb-note">{tokenText(circuit.keys_refused?.message ?? "", 300)}</p>
            ) : (
              <Moved
                moves={circuit.keys}
                up={5}
                down={3}
                label={`Tokens whose embeddings the query at ${at(circuit.row)} scores highest and lowest as keys`}
                nothing="Nothing."
              />
            )}
          </div>
        </div>
      ) : null}
    </div>
  );
}
