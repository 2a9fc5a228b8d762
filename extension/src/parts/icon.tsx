import type { JSX } from "preact";

const PATHS = {
  undo: "M5.5 3.5 2.5 6.5l3 3M2.5 6.5h7a3.5 3.5 0 0 1 0 7H7",
  redo: "M10.5 3.5l3 3-3 3M13.5 6.5h-7a3.5 3.5 0 0 0 0 7H9",
  x: "M4.5 4.5l7 7M11.5 4.5l-7 7",
  check: "M3 8.5l3.2 3.2L13 4.8",
  left: "M9.5 4.5 6 8l3.5 3.5",
  right: "M6.5 4.5 10 8l-3.5 3.5",
  up: "M4.5 9.5 8 6l3.5 3.5",
  down: "M4.5 6.5 8 10l3.5-3.5",
  grip: "M6 4v.1M6 8v.1M6 12v.1M10 4v.1M10 8v.1M10 12v.1",
  pencil: "M3 13l.8-3L10.5 3.3l2.2 2.2L6 12.2z",
  warn: "M8 2.5 14.2 13.2H1.8zM8 6.8v3M8 11.4v.1",
} as const;

/** A line drawing of 16 units, in the colour of the text around it. */
export function Icon({
  name,
  size = 16,
}: {
  name: keyof typeof PATHS;
  size?: number;
}): JSX.Element {
  return (
    <svg class="cb-icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
