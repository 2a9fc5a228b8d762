// What the colours mean, where the scale ends, and what lies beyond.
import type { ComponentChildren, JSX } from "preact";
import { useMemo } from "preact/hooks";
import { useCalm } from "../../../parts/calm";
import { Icon } from "../../../parts/icon";
import { capital, decimals, plain, signed } from "../../../parts/number";
import { ESTIMATED, EXACT } from "../../../protocol/decode";
import {
  BEYOND_NAMED,
  DRAWN,
  KEYS,
  NO_SCALE,
  PERCENTILE,
  SHARE_OF,
} from "../../../protocol/vocabulary.gen";
import { Term } from "../../help/Term";
import { cellName } from "../grid/cells";
import { Glyph } from "../grid/Glyph";
import type { Palette } from "./colour";
import { OLD, type Plane } from "./plane";

/** The exact cells beyond the end of the scale, farthest first. */
function beyond({ map, value, kind, clip }: Plane): [row: number, column: number][] {
  const columns = map.shape[1] ?? 0;
  const cells: number[] = [];
  for (let i = 0; i < value.length; i += 1) {
    const size = Math.abs(value[i] ?? 0);
    if (kind[i] === EXACT && Number.isFinite(size) && size > clip * (1 + 1e-6)) cells.push(i);
  }
  cells.sort((a, b) => Math.abs(value[b] ?? 0) - Math.abs(value[a] ?? 0));
  return cells.map((i) => [Math.floor(i / columns), i % columns]);
}

function note(plane: Plane, fixed: boolean): string {
  const { clip, unit, side, map } = plane;
  const end = plain(clip, decimals(clip) + (fixed ? 1 : 0));
  const of = `|${side === "difference" ? DRAWN.difference : "effect"}|`;
  const ends = fixed
    ? `scale \u00b1${end}, the distance between the baselines`
    : `clipped at \u00b1${end} (${Math.round(100 * PERCENTILE)}th percentile of ${of}${plane.difference !== null && side !== "difference" ? ", one scale for A and B" : ""})`;
  const cells = beyond(plane);
  const names = cells.slice(0, BEYOND_NAMED).map(([row, column]) => cellName(map, row, column));
  const more = cells.length > BEYOND_NAMED ? ` and ${cells.length - BEYOND_NAMED} more` : "";
  return `${unit === SHARE_OF ? `Share ${unit}` : capital(unit)}, ${ends}.${names.length > 0 ? ` Beyond: ${names.join(", ")}${more}.` : ""}`;
}

function Key({
  swatch,
  children,
}: {
  swatch: JSX.Element;
  children: ComponentChildren;
}): JSX.Element {
  return (
    <span class="cb-key">
      {swatch}
      {children}
    </span>
  );
}

interface Freshness {
  kind: "exact" | "approximate" | "unknown" | "stale";
  text: string;
}

function freshness({ side, map }: Plane, stale: boolean, counted: Counted): Freshness {
  const { unknown, estimated, old } = counted;
  if (stale && side !== "a") return { kind: "stale", text: KEYS.old };
  if (unknown + old === 0 && estimated === 0) return { kind: "exact", text: KEYS.exact };
  if (unknown + old === 0)
    return {
      kind: "approximate",
      text: `${estimated} ${KEYS.approximate}${map.status === "computing" && side !== "a" ? KEYS.filling : ""}`,
    };
  return old === 0
    ? { kind: "unknown", text: `${unknown} ${KEYS.unknown}` }
    : { kind: "stale", text: `${unknown + old} ${KEYS.old}` };
}

interface Counted {
  unknown: number;
  estimated: number;
  old: number;
  /** Exactly nothing, not finite, hidden by the look: whether there is any. */
  nothing: boolean;
  bad: boolean;
  sunk: number;
}

function counted({ value, kind, sunk }: Plane): Counted {
  const found = { unknown: 0, estimated: 0, old: 0, nothing: false, bad: false, sunk: 0 };
  for (let i = 0; i < kind.length; i += 1) {
    const known = kind[i];
    if (known === 0) found.unknown += 1;
    else if (known === ESTIMATED) found.estimated += 1;
    else if (known === OLD) found.old += 1;
    else if (value[i] === 0) found.nothing = true;
    else if (!Number.isFinite(value[i])) found.bad = true;
    if (sunk?.[i] === 1) found.sunk += 1;
  }
  return found;
}

function FreshnessKey({ shown: { kind, text } }: { shown: Freshness }): JSX.Element {
  const swatch =
    kind === "exact" ? <Icon name="check" size={12} /> : <span class={`cb-swatch cb-${kind}`} />;
  const term = kind === "exact" || kind === "approximate" ? kind : null;
  return <Key swatch={swatch}>{term === null ? text : <Term name={term}>{text}</Term>}</Key>;
}

interface LegendProps {
  plane: Plane;
  /** The scale is the distance between the baselines rather than a percentile. */
  fixed: boolean;
  stale: boolean;
  edited: boolean;
  palette: Palette;
}

export function Legend({ plane, fixed, stale, edited, palette }: LegendProps): JSX.Element {
  const { clip, unit, kind } = plane;
  const count = useMemo(() => counted(plane), [plane]);
  const { unknown, nothing, bad } = count;
  const fresh = freshness(plane, stale, count);
  const shown = useCalm(fresh, fresh.kind !== "exact");
  const { stops } = palette;
  const digits = decimals(clip);
  const [before, after] = note(plane, fixed).split(/clipped(.*)/s);
  if (clip === 0) {
    const why =
      unknown === kind.length
        ? NO_SCALE.unknown
        : plane.side === "difference"
          ? NO_SCALE.difference
          : NO_SCALE.nothing;
    return <p class="cb-note">{why}</p>;
  }
  return (
    <div>
      <div class="cb-legend">
        <div
          class="cb-ramp"
          role="img"
          aria-label={`Colour scale from ${signed(-clip, digits)} to ${signed(clip, digits)} ${unit}`}
        >
          <span class="cb-ramp-low" style={{ borderRightColor: stops[0] }} />
          <span
            class="cb-ramp-bar"
            style={{ backgroundImage: `linear-gradient(to right, ${stops.join(", ")})` }}
          />
          <span class="cb-ramp-high" style={{ borderLeftColor: stops[10] }} />
          <span class="cb-ramp-text">{signed(-clip, digits)} lower</span>
          <span class="cb-ramp-text">0</span>
          <span class="cb-ramp-text">{signed(clip, digits)} higher</span>
        </div>
        <div class="cb-keys">
          <FreshnessKey shown={shown} />
          {nothing ? <Key swatch={<span class="cb-swatch cb-none" />}>{KEYS.nothing}</Key> : null}
          {count.sunk > 0 ? (
            <Key swatch={<span class="cb-swatch cb-sunk" />}>{`${count.sunk} ${KEYS.hidden}`}</Key>
          ) : null}
          {bad ? <Key swatch={<span class="cb-swatch cb-not-finite" />}>{KEYS.bad}</Key> : null}
          {edited ? (
            <Key
              swatch={
                <span class="cb-swatch cb-edited">
                  <Glyph how="zero" />
                </span>
              }
            >
              {KEYS.edited}
            </Key>
          ) : null}
        </div>
      </div>
      <p class="cb-note">
        {before}
        {after === undefined ? null : (
          <>
            <Term name="clipping">clipped</Term>
            {after}
          </>
        )}
      </p>
    </div>
  );
}
