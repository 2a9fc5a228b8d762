// A look at a map in words: whatever is not drawn as it was computed is said above the map.
import { decimals, plain } from "../../../parts/number";
import type { EffectMap } from "../../../protocol/decode";
import type { PromptRow } from "../../../protocol/generated";
import { DRAWN, MAPS, ORDERS, SHARE_OF } from "../../../protocol/vocabulary.gen";
import { isPlain, type Kept, type Look } from "../../../store/look";
import { isByPosition } from "../grid/cells";
import type { Plane } from "../look/plane";
import { mapCaption, positionNames } from "./words";

/** An effect's size as it is drawn, with its unit. */
export function sizeWords(plane: Plane, inMetric: number): string {
  const size = inMetric * Math.abs(plane.factor);
  return `${plain(size, decimals(plane.clip) + 1)} ${plane.unit}`;
}

/** What the look leaves out, moves or rescales; null when it is the plain one. */
export function lookWords(plane: Plane, look: Look, hasOrder: boolean): string | null {
  if (isPlain(look)) return null;
  const { map, sunk } = plane;
  const parts: string[] = [];
  if (plane.unit === SHARE_OF) parts.push(`effects as a share ${SHARE_OF}`);
  if (look.order !== "layer")
    parts.push(
      hasOrder
        ? `${ORDERS[look.order]} by largest |effect|${map.status === "computing" ? " of the last complete map" : ""}`
        : `${ORDERS[look.order]} will be sorted once the map is complete`,
    );
  if (look.layers !== null && map.over !== "head_pos")
    parts.push(`layers ${look.layers[0]} to ${look.layers[1]} only`);
  if (look.show !== "all") parts.push(`${look.show} ${MAPS[map.over].cells} only`);
  if (look.hideBelow > 0) parts.push(`under ${sizeWords(plane, look.hideBelow)} hidden`);
  if (look.numbersFrom !== null) parts.push(`numbers from ${sizeWords(plane, look.numbersFrom)}`);
  if (parts.length === 0) return null;
  const hidden = sunk === null ? 0 : sunk.reduce((n, x) => n + x, 0);
  const count = hidden === 0 ? "" : ` (${hidden} of ${sunk?.length} hidden)`;
  return `View: ${parts.join("; ")}${count}.`;
}

/** A state after "the same": "on the clean run", "after zero 9.9". */
export function sameWords(name: string, nEdits: number): string {
  return `${nEdits === 0 ? "on the" : "after"} ${name}`;
}

/** The caption of a comparison: what each side is, and which is drawn. */
export function comparisonWords(plane: Plane, kept: Kept, prompt: PromptRow | undefined): string {
  const differs = settingWords(kept.map, plane.map, prompt);
  const settings = differs === null ? "" : ` A was computed ${differs}.`;
  const b = mapCaption(plane.map, prompt);
  return `Drawn: ${DRAWN[plane.side]}. B: ${b.charAt(0).toLowerCase()}${b.slice(1)}. A: the same ${sameWords(kept.name, kept.map.n_edits)}.${settings}`;
}

/** In which settings a kept map differs from the live one beside its state; null for none. */
function settingWords(a: EffectMap, b: EffectMap, prompt: PromptRow | undefined): string | null {
  const parts: string[] = [];
  if (a.how !== b.how) parts.push(`with "${a.how}"`);
  if (a.base !== b.base) parts.push(`on the ${a.base} run`);
  if (!isByPosition(a.over) && a.positions?.join() !== b.positions?.join())
    parts.push(`at ${a.positions === null ? "all positions" : positionNames(a.positions, prompt)}`);
  return parts.length === 0 ? null : parts.join(", ");
}
