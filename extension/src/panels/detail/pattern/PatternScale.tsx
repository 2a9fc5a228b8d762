// The scale of a pattern: what grey, or what colour, means how much.
import type { JSX } from "preact";
import { plain } from "../../../parts/number";
import { colourOf, type Palette } from "../../map/look/colour";
import { greyOf } from "./grey";
import type { Run } from "./Pattern";

const STEPS = 8;

export function PatternScale({
  run,
  clip,
  palette,
}: {
  run: Run;
  clip: number;
  palette: Palette;
}): JSX.Element {
  const change = run === "difference";
  const stops = Array.from({ length: STEPS + 1 }, (_, i) =>
    change
      ? colourOf(clip * ((2 * i) / STEPS - 1), clip, palette)
      : greyOf(i / STEPS, palette.theme),
  );
  const end = plain(clip, clip < 0.01 ? 4 : 2);
  return (
    <div class="cb-pattern-scale" aria-hidden="true">
      <span
        class="cb-pattern-ramp"
        style={{ background: `linear-gradient(90deg, ${stops.join(", ")})` }}
      />
      <span>{change ? `\u2212${end}` : "0"}</span>
      <span>{change ? "" : "share"}</span>
      <span>{change ? `+${end}` : "1"}</span>
    </div>
  );
}
