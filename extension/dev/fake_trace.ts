// Ranked lists and drawings on patterns as a fake kernel gives them: round numbers, the largest first.
import type {
  EditRow,
  EditSpec,
  ReadBy,
  Readers,
  Trace,
  Traced,
  View,
} from "../src/protocol/generated";
import { toReal } from "./fake_numbers";
import type { FakeOptions } from "./fake_options";

interface Situation {
  revision: number;
  view: View;
}

export function traceOf(
  { id, site, part }: Trace,
  { revision, view }: Situation,
  { heads }: FakeOptions,
): Traced {
  const layer = Number(/(\d+)/.exec(site)?.[1] ?? 0);
  const receiver = part === "in" ? `mlp_out ${layer}` : `${site}.${part}`;
  const senders = ["embed"];
  for (let l = layer - 1; l >= 0; l -= 1) {
    senders.push(`mlp_out ${l}`);
    for (let h = 0; h < heads; h += 1) senders.push(`${l}.${h}`);
  }
  return {
    kind: "traced",
    id,
    revision,
    site,
    part,
    receiver,
    how: view.mode,
    rows: senders.slice(0, 40).map((sender, i) => ({
      sender,
      edge: `${sender} -> ${receiver}`,
      effect: toReal((i % 3 === 1 ? 1 : -1) * (0.8 / (i + 1))),
      stderr: toReal(0.04),
      edited: false,
    })),
    omitted: Math.max(0, senders.length - 40),
    by_estimate: senders.length > 40,
    elapsed_ms: 20,
  };
}

export function readersOf(
  { id, position, prompt }: Readers,
  { revision }: Situation,
  { layers, heads, tokens }: FakeOptions,
): ReadBy {
  return {
    kind: "read_by",
    id,
    revision,
    position,
    row: tokens.length - 1,
    prompt: prompt ?? 0,
    rows: Array.from({ length: 8 }, (_, i) => ({
      site: `${layers - 1 - i}.${(i * 5) % heads}`,
      attention: toReal(0.64 / (i + 1)),
      effect: toReal((i % 2 === 0 ? -0.7 : 0.4) / (i + 1)),
      stderr: null,
    })),
    omitted: layers * heads - 8,
    elapsed_ms: 20,
  };
}

const columns = (text: string): number[] => text.split(",").map(Number);

/** An edit of entries of a pattern, as in "9.6.pattern @ 14 <- 2, 3"; null for any other. */
export function drawnOf({ site, how, renormalize }: EditSpec): Partial<EditRow> | null {
  const found = /^(\d+)\.(\d+)\.pattern @ ([-\d, ]+) <- ([-\d, ]+)$/.exec(site);
  if (found === null) return null;
  const [, layer, head, dest = "", src = ""] = found;
  return {
    site: `${layer}.${head}.pattern`,
    kind: "head.pattern",
    layer: Number(layer),
    index: Number(head),
    how,
    what: `${how} ${site}${renormalize === true ? ", rows renormalized" : ""}`,
    positions: columns(dest),
    sources: columns(src),
    at: `${dest} <- ${src}`,
    renormalize: renormalize === true,
  };
}
