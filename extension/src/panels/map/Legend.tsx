// What the colours mean, where the scale ends, and what lies beyond.
import type { ComponentChildren, JSX } from "preact";
import { useCalm } from "../../parts/calm";
import { Icon } from "../../parts/icon";
import { decimals, plain, signed } from "../../parts/number";
import type { Theme } from "../../parts/theme";
import { type EffectMap, ESTIMATED, EXACT } from "../../protocol/decode";
import { cellName, largest } from "./cells";
import { STOPS } from "./colour";
import { Glyph } from "./Glyph";

/** Cells named in the note: more would be a second map. */
const NAMED = 3;

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function note(map: EffectMap, clip: number, unit: string, fixed: boolean): string {
  const end = plain(clip, decimals(clip) + (fixed ? 1 : 0));
  const ends = fixed
    ? `scale \u00b1${end}, the distance between the baselines`
    : `clipped at \u00b1${end} (98th percentile of |effect|)`;
  const beyond = largest(map, map.effect.length).filter(
    (cell) => !cell.old && !cell.estimated && Math.abs(cell.effect) > clip * (1 + 1e-6),
  );
  const names = beyond.slice(0, NAMED).map((cell) => cellName(map, cell.row, cell.column));
  const more = beyond.length > NAMED ? ` and ${beyond.length - NAMED} more` : "";
  return `${capital(unit)}, ${ends}.${names.length > 0 ? ` Beyond: ${names.join(", ")}${more}.` : ""}`;
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

function freshness(map: EffectMap, stale: boolean, unknown: number, estimated: number): Freshness {
  if (stale) return { kind: "stale", text: "not up to date" };
  if (unknown === 0 && estimated === 0) return { kind: "exact", text: "all exact" };
  if (unknown === 0)
    return { kind: "approximate", text: `${estimated} approximate (AtP) until exact` };
  return map.before === null
    ? { kind: "unknown", text: `${unknown} not computed yet` }
    : { kind: "stale", text: `${unknown} not up to date` };
}

function FreshnessKey({ shown: { kind, text } }: { shown: Freshness }): JSX.Element {
  const swatch =
    kind === "exact" ? <Icon name="check" size={12} /> : <span class={`cb-swatch cb-${kind}`} />;
  return <Key swatch={swatch}>{text}</Key>;
}

interface LegendProps {
  map: EffectMap;
  clip: number;
  unit: string;
  /** The scale is the distance between the baselines rather than a percentile. */
  fixed: boolean;
  stale: boolean;
  edited: boolean;
  theme: Theme;
}

export function Legend({ map, clip, unit, fixed, stale, edited, theme }: LegendProps): JSX.Element {
  const count = (kind: number): number => map.known.reduce((n, k) => n + (k === kind ? 1 : 0), 0);
  const unknown = count(0);
  const fresh = freshness(map, stale, unknown, count(ESTIMATED));
  const shown = useCalm(fresh, fresh.kind !== "exact");
  const bad = map.effect.some((x, i) => map.known[i] === EXACT && !Number.isFinite(x));
  const nothing = map.effect.some((x, i) => map.known[i] === EXACT && x === 0);
  const stops = STOPS[theme];
  const digits = decimals(clip);
  if (clip === 0) {
    const why =
      unknown === map.known.length
        ? "The scale is set from the first effects."
        : "No cell computed so far changes the metric.";
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
          {nothing ? <Key swatch={<span class="cb-swatch cb-none" />}>exactly 0</Key> : null}
          {bad ? <Key swatch={<span class="cb-swatch cb-not-finite" />}>not finite</Key> : null}
          {edited ? (
            <Key
              swatch={
                <span class="cb-swatch cb-edited">
                  <Glyph how="zero" />
                </span>
              }
            >
              edited
            </Key>
          ) : null}
        </div>
      </div>
      <p class="cb-note">{note(map, clip, unit, fixed)}</p>
    </div>
  );
}
