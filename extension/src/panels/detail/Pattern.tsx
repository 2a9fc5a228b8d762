// One attention pattern: the cells on a canvas, and over it the one cell that has the focus.
import type { JSX, TargetedKeyboardEvent } from "preact";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { Theme } from "../../parts/theme";
import { tokenWords } from "../../parts/token";
import { colourOf } from "../map/colour";
import { greyOf } from "./grey";

/** From a token (row) to a token that it looks at (column), counted in the prompt's own tokens. */
export interface Look {
  dest: number;
  src: number;
}

export type Run = "current" | "base" | "difference";

/** Room for the tokens on the left and slanted on top (px). */
export const LEFT = 58;
export const TOP = 50;
export const RIGHT = 24;
/** Room that a token needs beside its row and above its column (px). */
const ROW_LABEL = 12;
const COLUMN_LABEL = 15;

interface PatternProps {
  run: Run;
  title: string;
  values: Float32Array;
  /** Tokens of the prompt: the pattern is square. */
  tokens: readonly string[];
  /** Labels of those tokens, where they have one. */
  labels: readonly (string | null)[];
  pitch: number;
  /** End of the scale of a difference. */
  clip: number;
  theme: Theme;
  look: Look | null;
  /** The cell in words, for the focus. */
  words: string;
  onLook(look: Look | null): void;
}

function paint(canvas: HTMLCanvasElement, props: PatternProps): void {
  const context = canvas.getContext("2d");
  if (context === null) return;
  const { values, tokens, pitch, run, clip, theme } = props;
  const n = tokens.length;
  const scale = globalThis.devicePixelRatio || 1;
  canvas.width = Math.round(n * pitch * scale);
  canvas.height = Math.round(n * pitch * scale);
  context.scale(scale, scale);
  const gap = pitch >= 6 ? 1 : 0;
  for (let dest = 0; dest < n; dest += 1) {
    for (let src = 0; src <= dest; src += 1) {
      const x = values[dest * n + src] ?? Number.NaN;
      if (!Number.isFinite(x)) continue;
      context.fillStyle = run === "difference" ? colourOf(x, clip, theme) : greyOf(x, theme);
      context.fillRect(src * pitch, dest * pitch, pitch - gap, pitch - gap);
    }
  }
}

/** The tokens that are named where there is no room for all: those with a label, and between them. */
export function namedTokens(
  labels: readonly (string | null)[],
  pitch: number,
  room: number,
): Set<number> {
  const every = Math.ceil(room / pitch);
  const named = new Set<number>();
  const isFree = (i: number): boolean => {
    for (let k = i - every + 1; k < i + every; k += 1) if (named.has(k)) return false;
    return true;
  };
  for (const labelled of [true, false])
    labels.forEach((label, i) => {
      if ((label !== null) === labelled && isFree(i)) named.add(i);
    });
  return named;
}

function moved({ dest, src }: Look, key: string, n: number): Look | null {
  switch (key) {
    case "ArrowUp":
      return { dest: Math.max(0, dest - 1), src: Math.min(src, Math.max(0, dest - 1)) };
    case "ArrowDown":
      return { dest: Math.min(n - 1, dest + 1), src };
    case "ArrowLeft":
      return { dest, src: Math.max(0, src - 1) };
    case "ArrowRight":
      return { dest, src: Math.min(dest, src + 1) };
    case "Home":
      return { dest, src: 0 };
    case "End":
      return { dest, src: dest };
    default:
      return null;
  }
}

export function Pattern(props: PatternProps): JSX.Element {
  const { run, title, tokens, labels, pitch, look, onLook } = props;
  const n = tokens.length;
  const canvas = useRef<HTMLCanvasElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const follow = useRef(false);
  useLayoutEffect(() => {
    if (canvas.current !== null) paint(canvas.current, props);
  }, [props.values, pitch, props.clip, props.theme, run, n]);
  // A cell that the focus moves to is an element of its own, so that its name is read out.
  useLayoutEffect(() => {
    if (follow.current) button.current?.focus();
    follow.current = false;
  }, [look]);
  const at = look ?? { dest: n - 1, src: n - 1 };
  const inRows = useMemo(() => namedTokens(labels, pitch, ROW_LABEL), [labels, pitch]);
  const inColumns = useMemo(() => namedTokens(labels, pitch, COLUMN_LABEL), [labels, pitch]);
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLElement>): void => {
    const next = moved(at, event.key, n);
    if (next === null) return;
    event.preventDefault();
    event.stopPropagation();
    follow.current = true;
    onLook(next);
  };
  const under = (event: PointerEvent): void => {
    const box = canvas.current?.getBoundingClientRect();
    if (box === undefined) return;
    const src = Math.floor((event.clientX - box.left) / pitch);
    const dest = Math.floor((event.clientY - box.top) / pitch);
    const inside = dest >= 0 && dest < n && src >= 0 && src <= dest;
    if (inside && (dest !== look?.dest || src !== look?.src)) onLook({ dest, src });
  };
  const place = (i: number): string => tokenWords((labels[i] ?? tokens[i] ?? "") || " ", 7);
  const size = n * pitch;
  return (
    <figure class="cb-pattern" data-cb="pattern" data-run={run} data-tokens={n}>
      <figcaption class="cb-small">{title}</figcaption>
      <div class="cb-pattern-scroll">
        <div
          class="cb-pattern-plot"
          style={{ width: `${LEFT + size + RIGHT}px`, height: `${TOP + size}px` }}
        >
          {tokens.map((_, i) => (
            <span
              key={i}
              aria-hidden="true"
              class={`cb-pattern-row${look?.dest === i ? " cb-axis-on" : ""}`}
              style={{ top: `${TOP + (i + 0.5) * pitch - 7}px` }}
            >
              {inRows.has(i) || look?.dest === i ? place(i) : ""}
            </span>
          ))}
          {tokens.map((_, i) => (
            <span
              key={i}
              aria-hidden="true"
              class={`cb-pattern-column${look?.src === i ? " cb-axis-on" : ""}`}
              style={{ left: `${LEFT + (i + 0.5) * pitch}px` }}
            >
              {inColumns.has(i) || look?.src === i ? place(i) : ""}
            </span>
          ))}
          <canvas
            ref={canvas}
            style={{ left: `${LEFT}px`, top: `${TOP}px`, width: `${size}px`, height: `${size}px` }}
          />
          {/* biome-ignore lint/a11y/useSemanticElements: a table of thousands of cells would be slow; one is in the DOM. */}
          <div
            role="grid"
            class="cb-pattern-cells"
            tabIndex={-1}
            aria-label={`Attention pattern, ${title}: from each token to those before it`}
            aria-rowcount={n}
            aria-colcount={n}
            style={{ left: `${LEFT}px`, top: `${TOP}px`, width: `${size}px`, height: `${size}px` }}
            onKeyDown={onKeyDown}
            onPointerMove={under}
            onPointerLeave={() => onLook(null)}
          >
            {/* biome-ignore lint/a11y/useSemanticElements: as above. */}
            {/* biome-ignore lint/a11y/useFocusableInteractive: the button inside takes the focus. */}
            <div role="row" aria-rowindex={at.dest + 1}>
              {/* biome-ignore lint/a11y/useSemanticElements: as above. */}
              {/* biome-ignore lint/a11y/useFocusableInteractive: the button inside takes the focus. */}
              <div role="gridcell" aria-colindex={at.src + 1}>
                <button
                  key={`${at.dest} ${at.src}`}
                  ref={button}
                  type="button"
                  class={`cb-pattern-cell${look === null ? "" : " cb-pattern-on"}`}
                  aria-label={props.words}
                  style={{
                    left: `${at.src * pitch}px`,
                    top: `${at.dest * pitch}px`,
                    width: `${pitch}px`,
                    height: `${pitch}px`,
                  }}
                  onFocus={() => {
                    if (look === null) onLook(at);
                  }}
                />
              </div>
            </div>
          </div>
        </div>
      </div>
    </figure>
  );
}
