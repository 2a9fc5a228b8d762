// The maps of both states and their difference, on request: they cost a run a cell and state.
import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { Button } from "../../parts/controls";
import { direction, duration, signed } from "../../parts/number";
import type { ReadComparison } from "../../protocol/decode_compared";
import type { PromptRow, View } from "../../protocol/generated";
import { MAPS } from "../../protocol/vocabulary.gen";
import { type ComparisonState, wantsMaps } from "../../store/comparison";
import { clipOf } from "../../store/scale";
import { cellName } from "../map/grid/cells";
import type { Palette } from "../map/look/colour";
import type { Comparable } from "../map/look/difference";
import { largestChanges, mapsOf } from "./difference";
import { SmallMap } from "./SmallMap";

/** Cells that are told in numbers. */
const TOLD = 5;

/** What rows and columns are: "Rows are layers 0 to 11, columns are heads." */
function axesWords({ over, layers, shape }: Comparable): string {
  const rows =
    over === "head_pos" ? `heads of layer ${layers[0]}` : `layers ${layers[0]} to ${layers.at(-1)}`;
  const columns = over === "head" ? "heads" : "positions";
  return `Rows are ${rows}, columns are ${columns} 0 to ${(shape[1] ?? 1) - 1}.`;
}

interface MapsProps {
  comparison: ComparisonState;
  answer: ReadComparison;
  view: View;
  /** The prompt that is looked at. */
  prompt: PromptRow | undefined;
  unit: string;
  palette: Palette;
  off: boolean;
  onAsk(maps: boolean): void;
}

function Request({ comparison, answer, view, off, onAsk }: MapsProps): JSX.Element {
  const what = `${MAPS[view.map].tab}, ${view.mode}`;
  if (comparison.asked?.maps === true)
    return (
      <div class="cb-row">
        <span class="cb-quiet-text" role="status">
          Computing both maps, {answer.runs} runs …
        </span>
        <Button cb="compare-maps-cancel" onClick={() => onAsk(false)}>
          Cancel
        </Button>
      </div>
    );
  return (
    <div class="cb-row cb-two-request">
      <Button
        cb="compare-maps"
        look="line"
        title="The exact map of each state, as the map above is set"
        disabled={off}
        onClick={() => onAsk(true)}
      >
        Compute both maps
      </Button>
      <span class="cb-quiet-text">
        {what}: {answer.runs === 0 ? "known already" : `${answer.runs} runs`}
      </span>
    </div>
  );
}

export function Maps(props: MapsProps): JSX.Element {
  const { comparison, answer, view, unit, palette } = props;
  const [pointed, setPointed] = useState<number | null>(null);
  const found = useMemo(() => mapsOf(answer), [answer]);
  const fits = wantsMaps(comparison, view);
  const drawn = fits && found !== null && found.refused === null ? found : null;
  const clip = useMemo(
    () =>
      drawn === null
        ? 0
        : Math.max(
            clipOf(drawn.difference.a, drawn.axes.known),
            clipOf(drawn.difference.b, drawn.axes.known),
          ),
    [drawn],
  );
  if (drawn === null)
    return (
      <section class="cb-two-maps" aria-label="Maps of both states">
        <h4 class="cb-h">Maps</h4>
        {fits && answer.refused !== null ? (
          <p class="cb-hint" data-cb="compare-refused">
            {answer.refused.message}
          </p>
        ) : (
          <Request {...props} />
        )}
      </section>
    );
  const { difference, axes } = drawn;
  const told = largestChanges(axes, difference.a, TOLD);
  const columns = axes.shape[1] ?? 1;
  const words = MAPS[axes.over];
  const at = pointed ?? -1;
  const point = { pointed, onPoint: setPointed, axes, prompt: props.prompt, unit, palette };
  const numbers = (left: number, right: number, change: number): JSX.Element => (
    <>
      {signed(left)} {"\u2192"} {signed(right)},{" "}
      <span class={direction(change)}>change {signed(change)}</span>
    </>
  );
  return (
    <section class="cb-two-maps" aria-label="Maps of both states" data-cb="compare-maps-shown">
      <h4 class="cb-h">
        Maps
        <span class="cb-quiet-text cb-plain">
          {" "}
          {words.tab}, {view.mode}: what each does in either state; exact,{" "}
          {duration(answer.maps?.elapsed_ms ?? 0)}
        </span>
      </h4>
      <div class="cb-two-three">
        <SmallMap
          {...point}
          title="Left"
          label={`${words.grid}, in the left state. ${axesWords(axes)}`}
          effect={difference.a}
          clip={clip}
        />
        <SmallMap
          {...point}
          title="Right − left"
          label={`${words.grid}, the right state minus the left one. ${axesWords(axes)}`}
          effect={difference.effect}
          clip={difference.clip}
        />
        <SmallMap
          {...point}
          title="Right"
          label={`${words.grid}, in the right state. ${axesWords(axes)}`}
          effect={difference.b}
          clip={clip}
        />
      </div>
      <p class="cb-small cb-two-pointed">
        {pointed === null ? (
          <span class="cb-quiet-text">{axesWords(axes)} Point at a cell to read its numbers.</span>
        ) : (
          <>
            <b>{cellName(axes, Math.floor(at / columns), at % columns)}</b>{" "}
            {numbers(
              difference.a[at] ?? Number.NaN,
              difference.b[at] ?? Number.NaN,
              difference.effect[at] ?? Number.NaN,
            )}{" "}
            {unit}
          </>
        )}
      </p>
      <h4 class="cb-h">Changed most</h4>
      <ol class="cb-two-told">
        {told.length === 0 ? <li class="cb-quiet-text">No cell differs.</li> : null}
        {told.map((cell) => (
          <li
            key={cell.name}
            data-cb="compare-cell"
            data-site={cell.name}
            data-change={cell.change}
          >
            <b>{cell.name}</b> {numbers(cell.left, cell.right, cell.change)}
          </li>
        ))}
      </ol>
    </section>
  );
}
