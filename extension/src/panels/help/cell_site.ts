// Which component a drawn cell is, read from its hooks, and that component in Python.

export interface CellSite {
  /** As the kernel writes it, without positions. */
  site: string;
  /** The column it is at, for cells of one position. */
  position: number | null;
}

/** The component of the cell, row or neuron that an event is about; null where there is none. */
export function cellSiteOf(target: EventTarget | null): CellSite | null {
  const cell =
    target instanceof Element
      ? target.closest<HTMLElement>('[data-cb="head"], [data-cb="cell"], [data-cb="neuron"]')
      : null;
  if (cell === null) return null;
  const { cb, site, layer, head, index, pos } = cell.dataset;
  if (layer === undefined) return null;
  if (cb === "head" && head !== undefined) return { site: `${layer}.${head}`, position: null };
  if ((cb === "neuron" || site === "neuron") && index !== undefined && Number(index) >= 0)
    return { site: `neuron ${layer}.${index}`, position: null };
  if (pos === undefined || site === undefined) return null;
  if (site === "head_pos")
    return head === undefined ? null : { site: `${layer}.${head}`, position: Number(pos) };
  return site === "neuron" ? null : { site: `${site} ${layer}`, position: Number(pos) };
}

/** The address with its positions, as `EditSpec.site`: "9.6 @ 3, 4". */
export function addressOf(site: string, positions: readonly number[] | null): string {
  return positions === null ? site : `${site} @ ${positions.join(", ")}`;
}

/** The line of Python that edits it on `board`. */
export function pythonOf(site: string, positions: readonly number[] | null, how: string): string {
  const [, kind = "", layer = "", index] = /^(?:([a-z_]+) )?(\d+)(?:\.(\d+))?$/.exec(site) ?? [];
  const name = kind === "" ? "head" : kind;
  const where = index === undefined ? layer : `${layer}, ${index}`;
  const at =
    positions === null
      ? ""
      : `.at(${positions.length === 1 ? positions[0] : `[${positions.join(", ")}]`})`;
  return `board.edit(cb.${name}(${where})${at}.${how}())`;
}
