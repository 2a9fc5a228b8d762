// Where a head looks: one pattern (of the base run, now, or what the edits changed), to read and to draw on,
// and beside it what the head writes where it is looked at.
import type { ComponentChildren, JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { Segmented } from "../../../parts/controls";
import { attribute, plain, signed } from "../../../parts/number";
import { tokenWords } from "../../../parts/token";
import { useWidth } from "../../../parts/width";
import type { Patterns } from "../../../protocol/decode";
import type { AttentionView, PromptRow } from "../../../protocol/generated";
import { Term } from "../../help/Term";
import type { Palette } from "../../map/look/colour";
import { keyOf, type PatternCell } from "./cell";
import { DrawTools } from "./DrawTools";
import { type Brush, type Drawn, LOOKING } from "./drawing";
import { Pattern, RIGHT, type Run } from "./Pattern";
import { PatternScale } from "./PatternScale";

const LARGEST = 13;
const SMALLEST = 2;
/** Room for a list beside the pattern, and the gap between them (px). */
const BESIDE = 136;
const GAP = 16;
/** A pattern of smaller cells stands alone, with the list below it (px). */
const READABLE = 9;
/** A difference of patterns below this is rounding. */
const NOISE = 1e-6;

/** Pixels that a cell of `n` tokens takes in `width`, and whether a list has room beside the pattern. */
export function pitchOf(width: number, n: number): { pitch: number; beside: boolean } {
  const fitting = (room: number): number =>
    Math.max(SMALLEST, Math.min(LARGEST, Math.floor((room - RIGHT) / Math.max(1, n))));
  const together = fitting(width - BESIDE - GAP);
  const alone = fitting(width);
  return together >= Math.min(READABLE, alone)
    ? { pitch: together, beside: true }
    : { pitch: alone, beside: false };
}

/** Where row `dest` looks most, in words: a first token that only takes what is left over is told with the next. */
export function readsWords(
  values: Float32Array,
  n: number,
  dest: number,
  name: (i: number) => string,
): string {
  const row = Array.from({ length: dest + 1 }, (_, src) => ({
    src,
    share: values[dest * n + src] ?? Number.NaN,
  })).filter(({ share }) => Number.isFinite(share));
  row.sort((a, b) => b.share - a.share);
  const [first, second] = row;
  if (first === undefined) return "";
  const shareOf = ({ src, share }: typeof first): string => `${name(src)} ${plain(share)}`;
  return `${name(dest)} reads ${shareOf(first)}${
    first.src === 0 && dest > 0 && second !== undefined ? `, then ${shareOf(second)}` : ""
  }`;
}

interface AttentionProps {
  head: string;
  attention: AttentionView;
  patterns: Patterns;
  prompt: PromptRow | undefined;
  base: string;
  palette: Palette;
  /** The row and the source that the region is about, in the prompt's own tokens; source null for none. */
  row: number;
  source: number | null;
  drawn: ReadonlyMap<string, Drawn>;
  off: boolean;
  /** What the head writes, for the run that is looked at. */
  writes(run: Run): ComponentChildren;
  onChoose(look: PatternCell): void;
  onStroke(cells: PatternCell[], brush: Brush): void;
  onTakeBack(drawn: Drawn): void;
}

export function Attention(props: AttentionProps): JSX.Element {
  const { attention, patterns, prompt, palette, row, drawn, off } = props;
  const [ref, width] = useWidth<HTMLDivElement>(400);
  const [look, setLook] = useState<PatternCell | null>(null);
  const [run, setRun] = useState<Run>("current");
  const [brush, setBrush] = useState<Brush>(LOOKING);
  const { tokens, first_column } = attention;
  const n = tokens.length;
  const { current, base } = patterns;
  const difference = useMemo(() => current.map((x, i) => x - (base[i] ?? 0)), [current, base]);
  const most = useMemo(
    () => difference.reduce((a, x) => Math.max(a, Number.isFinite(x) ? Math.abs(x) : 0), 0),
    [difference],
  );
  const labels = useMemo(
    () => tokens.map((_, i) => prompt?.columns[first_column + i]?.labels[0] ?? null),
    [tokens, prompt, first_column],
  );
  const held = useMemo(() => new Set(drawn.keys()), [drawn]);
  const focus = look !== null && look.dest < n && look.src < n ? look : null;
  const short = (i: number): string => tokenWords(labels[i] ?? tokens[i] ?? "", 9);
  const name = (i: number): string => {
    const label = labels[i] ?? null;
    const token = tokenWords(tokens[i] ?? "", 12);
    return label === null ? token : `${token} (${tokenWords(label, 8)})`;
  };
  const words = (at: PatternCell): string => {
    const i = at.dest * n + at.src;
    const [now, before] = [current[i] ?? Number.NaN, base[i] ?? Number.NaN];
    const edit = drawn.get(keyOf(at))?.edit;
    return `from ${name(at.dest)} to ${name(at.src)}: ${plain(now, 3)} now, ${plain(before, 3)} in the base run, ${signed(now - before, 3)}${
      edit === undefined ? "" : `; drawn: ${edit.how}`
    }`;
  };
  const values = { current, base, difference }[run];
  const at = Math.max(0, Math.min(n - 1, row));
  const top = argmax(values, n, at);
  const chosen = { dest: at, src: props.source ?? top };
  const changed = most > NOISE;
  const { pitch, beside } = pitchOf(width, n);
  const i = focus === null ? -1 : focus.dest * n + focus.src;
  const press = (cell: PatternCell): void => {
    const here = drawn.get(keyOf(cell));
    if (brush.tool === "look") props.onChoose(cell);
    else if (off) return;
    else if (here === undefined) props.onStroke([cell], brush);
    else props.onTakeBack(here);
  };
  return (
    <div ref={ref} class={`cb-attention${beside ? " cb-attention-beside" : ""}`}>
      <div class="cb-row cb-part-head">
        <h4 class="cb-h">
          <Term name="pattern">Attention</Term>
        </h4>
        <span class="cb-quiet-text cb-reads" data-cb="reads">
          {run === "difference"
            ? changed
              ? "now minus base"
              : "the edits change nothing here"
            : readsWords(values, n, at, short)}
        </span>
        <span class="cb-grow" />
        <Segmented<Run>
          cb="pattern-run"
          label="Which attention pattern is shown"
          value={run}
          choices={[
            { value: "base", text: props.base, refused: null, title: "In the unedited base run" },
            { value: "current", text: "now", refused: null, title: "With the edits in force" },
            { value: "difference", text: "change", refused: null, title: "Now minus the base run" },
          ]}
          onChoose={setRun}
        />
      </div>
      <DrawTools
        brush={brush}
        off={off}
        onChoose={(patch) => {
          setBrush((before) => ({ ...before, ...patch }));
          // What is drawn acts on the run as it is now.
          if (patch.tool !== "look") setRun("current");
        }}
      />
      <div class="cb-attention-body">
        <div class="cb-attention-plot">
          <Pattern
            run={run}
            title={{ base: `${props.base} run`, current: "now", difference: "change" }[run]}
            values={values}
            tokens={tokens}
            labels={labels}
            pitch={pitch}
            clip={changed ? most : 1}
            palette={palette}
            look={focus}
            chosen={chosen}
            drawn={held}
            drawing={brush.tool !== "look" && !off}
            words={words(focus ?? chosen)}
            onLook={setLook}
            onPress={press}
            onStroke={(cells) => props.onStroke(cells, brush)}
          />
          {n * pitch >= 110 ? (
            <PatternScale run={run} clip={changed ? most : 1} palette={palette} />
          ) : null}
        </div>
        {props.writes(run)}
      </div>
      <p
        class="cb-note cb-readout"
        data-cb="pattern-readout"
        data-dest={focus?.dest}
        data-src={focus?.src}
        data-current={focus === null ? undefined : attribute(current[i] ?? Number.NaN)}
        data-base={focus === null ? undefined : attribute(base[i] ?? Number.NaN)}
      >
        {focus === null
          ? "A row is a token, its cells what it attends to: stronger is more (root scale)."
          : `Attention ${words(focus)}.`}
      </p>
    </div>
  );
}

function argmax(values: Float32Array, n: number, dest: number): number {
  let best = 0;
  for (let src = 1; src <= dest; src += 1)
    if ((values[dest * n + src] ?? Number.NEGATIVE_INFINITY) > (values[dest * n + best] ?? 0))
      best = src;
  return best;
}
