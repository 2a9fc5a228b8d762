// What a press on the pattern does: read, or draw, and by which rule.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Segmented, Switch } from "../../../parts/controls";
import { type Brush, brushWords, type Tool } from "./drawing";

interface DrawToolsProps {
  brush: Brush;
  off: boolean;
  onChoose(patch: Partial<Brush>): void;
}

export function DrawTools({ brush, off, onChoose }: DrawToolsProps): JSX.Element {
  const [typed, setTyped] = useState<string | null>(null);
  const text = typed ?? String(brush.value);
  const wrong = text.trim() === "" || !Number.isFinite(Number(text));
  return (
    <div class="cb-draw">
      <div class="cb-row cb-draw-tools">
        <Segmented<Tool>
          cb="draw-tool"
          label="What a press on the pattern does"
          value={brush.tool}
          disabled={off}
          choices={[
            { value: "look", text: "look", refused: null, title: "Read the head at that cell" },
            { value: "zero", text: "zero", refused: null, title: "Set cells to 0" },
            { value: "set", text: "set to", refused: null, title: "Set cells to a value" },
          ]}
          onChoose={(tool) => onChoose({ tool })}
        />
        {brush.tool === "set" ? (
          <input
            type="text"
            inputMode="decimal"
            class="cb-draw-value"
            data-cb="draw-value"
            aria-label="Value that cells are set to"
            aria-invalid={wrong}
            value={text}
            disabled={off}
            onInput={(event) => {
              const next = event.currentTarget.value;
              setTyped(next);
              if (next.trim() !== "" && Number.isFinite(Number(next)))
                onChoose({ value: Number(next) });
            }}
            onBlur={() => setTyped(null)}
          />
        ) : null}
        {brush.tool === "look" ? null : (
          <span class="cb-row cb-draw-rule">
            <Switch
              cb="draw-renormalize"
              label="Rows keep their sum"
              on={brush.renormalize}
              disabled={off}
              onClick={() => onChoose({ renormalize: !brush.renormalize })}
            />
            <span aria-hidden="true">rows keep their sum</span>
          </span>
        )}
      </div>
      <p class={`cb-note${brush.tool === "look" ? " cb-draw-beside" : ""}`} data-cb="draw-rule">
        {wrong && brush.tool === "set" ? "Type a number to set cells to." : brushWords(brush)}
      </p>
    </div>
  );
}
