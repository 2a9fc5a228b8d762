// What a person types to find a component, read: "9.6", "L9H6", "mlp 3", "neuron 3.141", "resid 5 @ END".

import type { PromptRow, Setup } from "../../protocol/generated";
import type { MapOver } from "../../store/state";
import { columnToken } from "../prompts/column_token";

/** Where something is: its map, and its address there; a token has no map. */
export interface Destination {
  /** null where no map holds it: the detail region can still show it. */
  map: MapOver | null;
  /** For a head at a position: the layer whose map it is on. */
  layer: number | null;
  site: string | null;
  position: number | null;
  /** In words, for the list and for screen readers. */
  words: string;
}

export type Reading = { destination: Destination } | { problem: string };

type Kind = "head" | "resid_pre" | "attn_out" | "mlp_out" | "neuron";

const KINDS: Record<string, Kind> = {
  "": "head",
  a: "head",
  h: "head",
  head: "head",
  r: "resid_pre",
  resid: "resid_pre",
  residual: "resid_pre",
  resid_pre: "resid_pre",
  attn: "attn_out",
  attention: "attn_out",
  attn_out: "attn_out",
  m: "mlp_out",
  mlp: "mlp_out",
  mlp_out: "mlp_out",
  n: "neuron",
  neuron: "neuron",
};

const NAMES: Record<Kind, string> = {
  head: "head",
  resid_pre: "resid_pre",
  attn_out: "attn_out",
  mlp_out: "mlp_out",
  neuron: "neuron",
};

const TAKES_INDEX = new Set<Kind>(["head", "neuron"]);
/** At most this many characters of what was typed are said back. */
const SAID = 24;

export const EXAMPLES = "9.6, mlp 3, neuron 3.141, resid 5 @ END";

function columnOf(text: string, prompt: PromptRow | undefined): number | string {
  const columns = prompt?.columns ?? [];
  const names = columns.map((column) => columnToken(column).text);
  const own = columns.flatMap((column, i) => (column.padding ? [] : [i]));
  if (/^-?\d+$/.test(text)) {
    const at = own.at(Number(text));
    return at === undefined || Math.abs(Number(text)) > own.length
      ? `This prompt has ${own.length} tokens, 0 to ${own.length - 1}.`
      : at;
  }
  const wanted = text.trim().toLowerCase();
  const match = own.find((i) =>
    columns[i]?.labels.some((label) => label.trim().toLowerCase() === wanted),
  );
  if (match !== undefined) return match;
  const token = own.find((i) => names[i]?.trim().toLowerCase() === wanted);
  if (token !== undefined) return token;
  const labels = [...new Set(columns.flatMap((column) => column.labels))].slice(0, 6);
  return `No token or label is called ${text.slice(0, SAID)}${labels.length > 0 ? `; labels here: ${labels.join(", ")}` : ""}.`;
}

function outOfRange(kind: Kind, layer: number, index: number | null, setup: Setup): string | null {
  const { n_layers, n_heads: heads } = setup;
  if (layer >= n_layers)
    return `There is no layer ${layer}: this model has ${n_layers} layers, 0 to ${n_layers - 1}.`;
  if (kind === "head" && index !== null && index >= heads)
    return `There is no head ${layer}.${index}: a layer has ${heads} heads, 0 to ${heads - 1}.`;
  if (kind !== "head" && !setup.maps.includes(kind)) {
    return kind === "mlp_out" || kind === "neuron"
      ? "This model has no MLPs that can be edited."
      : `This board has no map of ${NAMES[kind]}.`;
  }
  return null;
}

/** Read what was typed; in words what is wrong with it when it names nothing here. */
export function read(typed: string, setup: Setup, prompt: PromptRow | undefined): Reading {
  const text = typed.trim();
  const [, what = "", , place] = /^([^@]*)(@(.*))?$/.exec(text) ?? [];
  let position: number | null = null;
  if (place !== undefined) {
    const at = columnOf(place.trim(), prompt);
    if (typeof at === "string") return { problem: at };
    position = at;
  }
  const at = place === undefined ? "" : ` at ${place.trim().slice(0, SAID)}`;
  const word = what.trim().toLowerCase();
  const parts = /^(?:([a-z_]+)\s*)?(?:l\s*)?(\d+)(?:\s*[.h]\s*(\d+))?$/.exec(
    word.replace(/^l(\d+)/, "$1"),
  );
  const kind = parts === null ? undefined : KINDS[parts[1] ?? ""];
  if (parts === null || kind === undefined) {
    // A token or a label by itself.
    if (place === undefined && word !== "") {
      const column = columnOf(text, prompt);
      if (typeof column === "number")
        return {
          destination: {
            map: null,
            layer: null,
            site: null,
            position: column,
            words: `token ${text.slice(0, SAID)}`,
          },
        };
    }
    return {
      problem: `\u201c${text.slice(0, SAID)}\u201d is no component, token or label. Try ${EXAMPLES}.`,
    };
  }
  const layer = Number(parts[2]);
  const index = parts[3] === undefined ? null : Number(parts[3]);
  const problem = outOfRange(kind, layer, index, setup);
  if (problem !== null) return { problem };
  if (TAKES_INDEX.has(kind) && index === null)
    return {
      problem: `Which ${NAMES[kind]} of layer ${layer}? Write ${kind === "neuron" ? `neuron ${layer}.0` : `${layer}.0 for its first head, or mlp ${layer}, resid ${layer}`}.`,
    };
  if (!TAKES_INDEX.has(kind) && index !== null)
    return { problem: `${NAMES[kind]} has one part a layer: write ${NAMES[kind]} ${layer}.` };
  const site =
    kind === "head"
      ? `${layer}.${index}`
      : kind === "neuron"
        ? `neuron ${layer}.${index}`
        : `${kind} ${layer}`;
  const words = `${kind === "head" ? "head " : ""}${site}${at}`;
  if (kind === "head" && position !== null && setup.maps.includes("head_pos"))
    return { destination: { map: "head_pos", layer, site, position, words } };
  if (kind === "head" || kind === "neuron")
    return { destination: { map: kind, layer: null, site, position: null, words } };
  // A stream at no position in particular: where the answer is read.
  const last = (prompt?.columns.length ?? 1) - 1;
  return { destination: { map: kind, layer: null, site, position: position ?? last, words } };
}
