// One attention pattern: the cells on a canvas, each row's token beside its end, and over it the one cell
// that has the focus. Cells are chosen or drawn on.
import type { JSX, TargetedKeyboardEvent, TargetedPointerEvent } from "preact";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { useFrame } from "../../../parts/frame";
import { tokenWords } from "../../../parts/token";
import { colourOf, type Palette } from "../../map/look/colour";
import { keyOf, type PatternCell } from "./cell";
import { between } from "./drawing";
import { greyOf } from "./grey";

export type Run = "current" | "base" | "difference";

/** Room for the last tokens' names, right of the diagonal (px). */
export const RIGHT = 68;
/** Room that a token's name needs (px). */
const ROW_LABEL = 11;

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
  palette: Palette;
  look: PatternCell | null;
  /** The row and the cell that the rest of the region is about. */
  chosen: PatternCell;
  /** Cells that edits hold. */
  drawn: ReadonlySet<string>;
  /** Whether a press draws, rather than chooses. */
  drawing: boolean;
  /** The cell in words, for the focus. */
  words: string;
  onLook(look: PatternCell | null): void;
  onPress(look: PatternCell): void;
  /** The cells of one stroke. */
  onStroke(cells: PatternCell[]): void;
}

function paint(canvas: HTMLCanvasElement, props: PatternProps): void {
  const context = canvas.getContext("2d");
  if (context === null) return;
  const { values, tokens, pitch, run, clip, palette } = props;
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
      context.fillStyle =
        run === "difference" ? colourOf(x, clip, palette) : greyOf(x, palette.theme);
      context.fillRect(src * pitch, dest * pitch, pitch - gap, pitch - gap);
    }
  }
  const ink = getComputedStyle(canvas).color;
  for (const key of props.drawn) {
    const [dest = 0, src = 0] = key.split(" ").map(Number);
    const [x, y, side] = [src * pitch, dest * pitch, pitch - gap];
    // Light and dark beside each other: an outline that is seen on any grey.
    context.lineWidth = 1;
    context.strokeStyle = palette.theme === "light" ? "#fff" : "#1f1f1f";
    if (pitch >= 8) context.strokeRect(x + 1.5, y + 1.5, side - 3, side - 3);
    context.strokeStyle = ink;
    context.strokeRect(x + 0.5, y + 0.5, Math.max(1, side - 1), Math.max(1, side - 1));
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

function moved({ dest, src }: PatternCell, key: string, n: number): PatternCell | null {
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
  const { run, title, tokens, labels, pitch, look, chosen, drawing, onLook } = props;
  const n = tokens.length;
  const canvas = useRef<HTMLCanvasElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const follow = useRef(false);
  const last = useRef<PatternCell | null>(null);
  const [stroke, setStroke] = useState<readonly PatternCell[]>([]);
  useFrame(() => {
    if (canvas.current !== null) paint(canvas.current, props);
  }, [props.values, pitch, props.clip, props.palette, run, n, props.drawn]);
  // A cell that the focus moves to is an element of its own, so that its name is read out.
  useLayoutEffect(() => {
    if (follow.current) button.current?.focus();
    follow.current = false;
  }, [look]);
  const at = look ?? chosen;
  const named = useMemo(() => namedTokens(labels, pitch, ROW_LABEL), [labels, pitch]);
  const under = (event: PointerEvent | MouseEvent): PatternCell | null => {
    const box = canvas.current?.getBoundingClientRect();
    if (box === undefined) return null;
    const src = Math.floor((event.clientX - box.left) / pitch);
    const dest = Math.floor((event.clientY - box.top) / pitch);
    const inside = dest >= 0 && dest < n && src >= 0 && src <= dest;
    return inside ? { dest, src } : null;
  };
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLElement>): void => {
    if (event.key === "Escape" && stroke.length > 0) {
      last.current = null;
      setStroke([]);
    } else if (event.key === "Enter" || event.key === " ") props.onPress(at);
    else {
      const next = moved(at, event.key, n);
      if (next === null) return;
      follow.current = true;
      onLook(next);
    }
    event.preventDefault();
    event.stopPropagation();
  };
  const onPointerDown = (event: TargetedPointerEvent<HTMLElement>): void => {
    const cell = under(event);
    if (cell === null || event.button !== 0 || !drawing || props.drawn.has(keyOf(cell))) return;
    last.current = cell;
    setStroke([cell]);
    event.currentTarget.setPointerCapture?.(event.pointerId);
  };
  const onPointerMove = (event: TargetedPointerEvent<HTMLElement>): void => {
    const cell = under(event);
    if (cell !== null && (cell.dest !== look?.dest || cell.src !== look?.src)) onLook(cell);
    const from = last.current;
    if (cell === null || from === null || keyOf(cell) === keyOf(from)) return;
    last.current = cell;
    setStroke((before) => {
      const held = new Set(before.map(keyOf));
      return [...before, ...between(from, cell).filter((next) => !held.has(keyOf(next)))];
    });
  };
  const onPointerUp = (event: TargetedPointerEvent<HTMLElement>): void => {
    if (last.current === null) {
      const cell = under(event);
      if (cell !== null && event.button === 0) props.onPress(cell);
      return;
    }
    last.current = null;
    if (stroke.length > 0) props.onStroke([...stroke]);
    setStroke([]);
  };
  const onPointerCancel = (): void => {
    last.current = null;
    setStroke([]);
  };
  const place = (i: number): string => tokenWords(tokens[i] ?? "", 9) || " ";
  const size = n * pitch;
  const box = { width: `${size}px`, height: `${size}px` };
  return (
    <figure class="cb-pattern" data-cb="pattern" data-run={run} data-tokens={n}>
      <div class="cb-pattern-scroll">
        <div
          class="cb-pattern-plot"
          style={{ width: `${size + RIGHT}px`, height: `${size + 3}px` }}
        >
          <canvas ref={canvas} style={box} />
          <span
            class="cb-pattern-chosen"
            aria-hidden="true"
            style={{
              top: `${chosen.dest * pitch}px`,
              width: `${(chosen.dest + 1) * pitch}px`,
              height: `${pitch}px`,
            }}
          />
          {tokens.map((_, i) => {
            const on = look?.dest === i || (look === null && chosen.dest === i);
            if (!named.has(i) && !on) return null;
            return (
              <span
                key={i}
                aria-hidden="true"
                class={`cb-pattern-row${on ? " cb-axis-on" : ""}`}
                style={{ top: `${(i + 0.5) * pitch - 7}px`, left: `${(i + 1) * pitch + 4}px` }}
              >
                {place(i)}
                {labels[i] === null ? null : (
                  <span class="cb-pattern-label"> {tokenWords(labels[i] ?? "", 7)}</span>
                )}
              </span>
            );
          })}
          {stroke.map((cell) => (
            <span
              key={keyOf(cell)}
              class="cb-pattern-stroke"
              style={{
                left: `${cell.src * pitch}px`,
                top: `${cell.dest * pitch}px`,
                width: `${pitch}px`,
                height: `${pitch}px`,
              }}
            />
          ))}
          {/* biome-ignore lint/a11y/useSemanticElements: a table of thousands of cells would be slow; one is in the DOM. */}
          <div
            role="grid"
            class={`cb-pattern-cells${drawing ? " cb-pattern-drawing" : ""}`}
            tabIndex={-1}
            aria-label={`Attention pattern, ${title}: from each token to those before it`}
            aria-rowcount={n}
            aria-colcount={n}
            style={box}
            onKeyDown={onKeyDown}
            onPointerDown={onPointerDown}
            onPointerMove={onPointerMove}
            onPointerUp={onPointerUp}
            onPointerCancel={onPointerCancel}
            onPointerLeave={() => {
              if (last.current === null) onLook(null);
            }}
          >
            {/* biome-ignore lint/a11y/useSemanticElements: as above. */}
            {/* biome-ignore lint/a11y/useFocusableInteractive: the button inside takes the focus. */}
            <div role="row" aria-rowindex={at.dest + 1}>
              {/* biome-ignore lint/a11y/useSemanticElements: as above. */}
              {/* biome-ignore lint/a11y/useFocusableInteractive: the button inside takes the focus. */}
              <div role="gridcell" aria-colindex={at.src + 1}>
                <button
                  key={keyOf(at)}
                  ref={button}
                  type="button"
                  class={`cb-pattern-cell${look === null ? "" : " cb-pattern-on"}`}
                  aria-label={props.words}
                  aria-pressed={drawing ? props.drawn.has(keyOf(at)) : undefined}
                  style={{
                    left: `${at.src * pitch}px`,
                    top: `${at.dest * pitch}px`,
                    width: `${pitch}px`,
                    height: `${pitch}px`,
                  }}
                  onFocus={() => {
                    if (look === null) onLook(at);
                  }}
                  onClick={() => props.onPress(at)}
                />
              </div>
            </div>
          </div>
        </div>
      </div>
    </figure>
  );
}
