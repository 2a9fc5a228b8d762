// A map at a glance: one square a cell, to be looked at and pointed at, not clicked.
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import type { Theme } from "../../host";
import { useFrame } from "../../parts/frame";
import { decimals, signed } from "../../parts/number";
import { colourOf } from "../map/colour";

interface SmallMapProps {
  title: string;
  /** The whole of it in words. */
  label: string;
  effect: Float32Array;
  shape: readonly number[];
  clip: number;
  unit: string;
  theme: Theme;
  /** The cell that is pointed at, in any of the maps; null for none. */
  pointed: number | null;
  onPoint(cell: number | null): void;
}

export function SmallMap(props: SmallMapProps): JSX.Element {
  const { title, label, effect, shape, clip, theme, pointed, onPoint } = props;
  const [rows = 0, columns = 0] = shape;
  const canvas = useRef<HTMLCanvasElement>(null);
  useFrame(() => {
    const context = canvas.current?.getContext("2d") ?? null;
    if (context === null) return;
    context.clearRect(0, 0, columns, rows);
    effect.forEach((x, i) => {
      // What is not a finite number stays blank.
      if (!Number.isFinite(x)) return;
      context.fillStyle = colourOf(x, clip, theme);
      context.fillRect(i % columns, Math.floor(i / columns), 1, 1);
    });
  }, [effect, clip, theme, rows, columns]);
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
      <div
        class="cb-small-frame"
        style={{ aspectRatio: `${columns} / ${rows * (columns > 2 * rows ? 1 : 0.75)}` }}
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
    </figure>
  );
}
