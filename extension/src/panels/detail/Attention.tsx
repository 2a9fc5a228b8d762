// Where a head looks: now, in the base run, and what the edits changed, token by token.
import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { attribute, plain, signed } from "../../parts/number";
import type { Theme } from "../../parts/theme";
import { tokenWords } from "../../parts/token";
import { useWidth } from "../../parts/width";
import type { Patterns } from "../../protocol/decode";
import type { AttentionView, PromptRow } from "../../protocol/generated";
import { LEFT, type Look, Pattern, RIGHT, type Run } from "./Pattern";

const GAP = 20;
const LARGEST = 16;
const SMALLEST = 2;
/** Narrower than this a pattern is not drawn beside another (px). */
const SIDE_BY_SIDE = 250;
/** A difference of patterns below this is rounding. */
const NOISE = 1e-6;

/** Pixels a cell takes where `count` patterns of `n` tokens share `width`. */
export function pitchOf(width: number, n: number): number {
  const beside = Math.max(1, Math.min(3, Math.floor((width + GAP) / (SIDE_BY_SIDE + GAP))));
  const each = (width - (beside - 1) * GAP) / beside;
  const pitch = Math.floor((each - LEFT - RIGHT) / Math.max(1, n));
  return Math.max(SMALLEST, Math.min(LARGEST, pitch));
}

interface AttentionProps {
  attention: AttentionView;
  patterns: Patterns;
  prompt: PromptRow | undefined;
  theme: Theme;
}

export function Attention({ attention, patterns, prompt, theme }: AttentionProps): JSX.Element {
  const [ref, width] = useWidth<HTMLDivElement>(1000);
  const [look, setLook] = useState<Look | null>(null);
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
  const shown = look !== null && look.dest < n && look.src < n ? look : null;
  const name = (i: number): string => {
    const label = labels[i] ?? null;
    const token = tokenWords(tokens[i] ?? "", 12);
    return label === null ? token : `${token} (${tokenWords(label, 8)})`;
  };
  const words = (at: Look): string => {
    const i = at.dest * n + at.src;
    const [now, before] = [current[i] ?? Number.NaN, base[i] ?? Number.NaN];
    return `from ${name(at.dest)} to ${name(at.src)}: ${plain(now, 3)} now, ${plain(before, 3)} in the base run, ${signed(now - before, 3)}`;
  };
  const focus = shown ?? { dest: n - 1, src: n - 1 };
  const changed = most > NOISE;
  const runs: readonly [Run, string, Float32Array][] = [
    ["current", changed ? "with the edits" : "with the edits: as in the base run", current],
    ["base", "base run", base],
    [
      "difference",
      changed ? `difference, scale \u00b1${plain(most, most < 0.01 ? 4 : 2)}` : "difference: none",
      difference,
    ],
  ];
  const pitch = pitchOf(width, n);
  const i = shown === null ? -1 : shown.dest * n + shown.src;
  return (
    <div ref={ref}>
      <div class="cb-patterns">
        {runs.map(([run, title, values]) => (
          <Pattern
            key={run}
            run={run}
            title={title}
            values={values}
            tokens={tokens}
            labels={labels}
            pitch={pitch}
            clip={changed ? most : 1}
            theme={theme}
            look={shown}
            words={words(focus)}
            onLook={setLook}
          />
        ))}
      </div>
      <p
        class="cb-note"
        data-cb="pattern-readout"
        data-dest={shown?.dest}
        data-src={shown?.src}
        data-current={shown === null ? undefined : attribute(current[i] ?? Number.NaN)}
        data-base={shown === null ? undefined : attribute(base[i] ?? Number.NaN)}
      >
        {shown === null
          ? "A row is a token, its cells what it attends to: stronger is more (root scale)."
          : `Attention ${words(shown)}.`}
      </p>
    </div>
  );
}
