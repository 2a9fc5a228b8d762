// Selecting an edit in the map and the detail region.
import type { EditRow } from "../../protocol/generated";
import type { Selection } from "../../store/selection";
import type { MapOver } from "../../store/state";

/** The component of an edit, to look at; null for a path between two, which is none. */
export function selectionOf(edit: EditRow): Selection | null {
  if (edit.kind === "edge") return null;
  const { positions } = edit;
  return { site: edit.site, position: positions?.length === 1 ? (positions[0] ?? null) : null };
}

const MAPS: Partial<Record<EditRow["kind"], MapOver>> = {
  resid_pre: "resid_pre",
  attn_out: "attn_out",
  mlp_out: "mlp_out",
  neuron: "neuron",
};

/** The map that has an edit's component; null where the one that is shown has it, or none has. */
export function mapOf(
  edit: EditRow,
  view: { map: MapOver; map_layer: number },
  maps: readonly MapOver[],
): MapOver | null {
  const wanted = edit.kind.startsWith("head") ? "head" : MAPS[edit.kind];
  const there =
    view.map === wanted ||
    (wanted === "head" && view.map === "head_pos" && view.map_layer === edit.layer);
  return wanted === undefined || there || !maps.includes(wanted) ? null : wanted;
}
