// Two maps of the same things: the kept one (A), the live one (B), and what B has more.
import type { JSX } from "preact";
import { IconButton, Segmented } from "../../../parts/controls";
import type { Kept, Look, MapSide } from "../../../store/look";
import type { Actions } from "../../actions";

const SIDES: readonly { value: MapSide; text: string; title: string }[] = [
  { value: "a", text: "A", title: "The map that was kept" },
  { value: "b", text: "B", title: "The live map" },
  { value: "difference", text: "B \u2212 A", title: "What the live map has more" },
];

interface CompareProps {
  kept: Kept;
  look: Look;
  /** Why the two cannot be compared; null when they can. */
  refused: string | null;
  act: Actions;
}

export function Compare({ kept, look, refused, act }: CompareProps): JSX.Element {
  return (
    <div class="cb-row cb-compare" data-cb="comparison" data-refused={refused !== null}>
      <Segmented
        cb="map-side"
        label="Which map is drawn"
        value={refused === null ? look.side : "b"}
        choices={SIDES.map((side) => ({
          ...side,
          refused: side.value === "b" ? null : refused,
        }))}
        onChoose={(side) => act.look({ side })}
      />
      <span class="cb-compare-names">
        <span class="cb-quiet-text">A </span>
        {kept.name}
        <span class="cb-quiet-text">{" \u00b7 B "}</span>
        now
      </span>
      <IconButton
        cb="compare-close"
        icon="x"
        label="Stop comparing"
        onClick={() => act.compare(null)}
      />
      {refused === null ? null : <p class="cb-note cb-warn">{refused}</p>}
    </div>
  );
}
