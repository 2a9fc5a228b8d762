// A map at a glance: one square a cell, to be looked at and pointed at, not clicked.
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { useFrame } from "../../parts/frame";
import { decimals, signed } from "../../parts/number";
import { useWidth } from "../../parts/width";
import type { PromptRow } from "../../protocol/generated";
import { isByPosition } from "../map/grid/cells";
import { colourOf, type Palette } from "../map/look/colour";
import type { Comparable } from "../map/look/difference";
import { columnNames, rowNames } from "./axis_names";

/** As the style sheet has it (px). */
const TALLEST = 320;
/** The width of a map until it is measured (px). */
const UNMEASURED = 120;

interface SmallMapProps {
  title: string;
  /** The whole of it in words. */
  label: string;
  effect: Float32Array;
  /** What its rows and columns are. */
  axes: Comparable;
  /** The prompt whose tokens name positions. */
  prompt: PromptRow | undefined;
  clip: number;
  unit: string;
  palette: Palette;
  /** The cell that is pointed at, in any of the maps; null for none. */
  pointed: number | null;
  onPoint(cell: number | null): void;
}

export function SmallMap(props: SmallMapProps): JSX.Element {
  const { title, label, effect, axes, prompt, clip, palette, pointed, onPoint } = props;
  const [rows = 0, columns = 0] = axes.shape;
  const canvas = useRef<HTMLCanvasElement>(null);
  const [frame, width] = useWidth<HTMLDivElement>(UNMEASURED);
  const byPosition = isByPosition(axes.over);
  const flatness = columns > 2 * rows ? 1 : 0.75;
  const height = Math.min(TALLEST, (width * rows * flatness) / Math.max(1, columns));
  useFrame(() => {
    const context = canvas.current?.getContext("2d") ?? null;
    if (context === null) return;
    context.clearRect(0, 0, columns, rows);
    effect.forEach((x, i) => {
      // What is not a finite number stays blank.
      if (!Number.isFinite(x)) return;
      context.fillStyle = colourOf(x, clip, palette);
      context.fillRect(i % columns, Math.floor(i / columns), 1, 1);
    });
  }, [effect, clip, palette, rows, columns]);
  const cellAt = (event: PointerEvent): number | null => {
    const { left, top, width, height } = (
      event.currentTarget as HTMLElement
    ).getBoundingClientRect();
    const column = Math.floor(((event.clientX - left) / width) * columns);
    const row = Math.floor(((event.clientY - top) / height) * rows);
    return row < 0 || row >= rows || column < 0 || column >= columns
      ? null
      : row * columns + column;
  };
  const digits = decimals(clip);
  return (
    <figure class="cb-small-map">
      <figcaption>
        <b>{title}</b>
        <span class="cb-quiet-text">
          {" "}
          {signed(-clip, digits)} … {signed(clip, digits)} {props.unit}
        </span>
      </figcaption>
      <div class={`cb-small-plot${byPosition ? " cb-small-positions" : ""}`}>
        <div class="cb-small-columns" aria-hidden="true">
          {byPosition ? null : <span class="cb-axis cb-small-head">head</span>}
          {columnNames(axes, prompt, width).map(({ at, text, strong }) => (
            <span
              key={at}
              class={`cb-axis${strong ? " cb-axis-on" : ""}`}
              style={{ left: `${(100 * (at + 0.5)) / columns}%` }}
            >
              <span class={byPosition ? "cb-slanted" : "cb-small-flat"}>{text}</span>
            </span>
          ))}
        </div>
        <div class="cb-small-rows" aria-hidden="true">
          <span class="cb-small-side">{axes.over === "head_pos" ? "head" : "layer"}</span>
          {rowNames(axes, height).map(({ at, text }) => (
            <span key={at} class="cb-axis" style={{ top: `${(100 * (at + 0.5)) / rows}%` }}>
              {text}
            </span>
          ))}
        </div>
        <div
          ref={frame}
          class="cb-small-frame"
          style={{ aspectRatio: `${columns} / ${rows * flatness}` }}
          onPointerMove={(event) => onPoint(cellAt(event))}
          onPointerLeave={() => onPoint(null)}
        >
          <canvas ref={canvas} width={columns} height={rows} role="img" aria-label={label} />
          {pointed === null ? null : (
            <span
              class="cb-small-pointed"
              style={{
                left: `${(100 * (pointed % columns)) / columns}%`,
                top: `${(100 * Math.floor(pointed / columns)) / rows}%`,
                width: `${100 / columns}%`,
                height: `${100 / rows}%`,
              }}
            />
          )}
        </div>
      </div>
    </figure>
  );
}
