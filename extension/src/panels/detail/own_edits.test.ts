import { expect, it } from "vitest";
import type { EditRow } from "../../protocol/generated";
import { ownEdits } from "./own_edits";

const row = (site: string, kind: string, layer: number, index: number | null, at?: number[]) =>
  ({ site, kind, layer, index, positions: at ?? null }) as unknown as EditRow;
const EDITS = [
  row("4.3", "head", 4, 3),
  row("3.4", "head", 3, 4),
  row("4.3.q", "head.q", 4, 3),
  row("4.3.k", "head.k", 4, 3),
  row("4.3.pattern", "head.pattern", 4, 3, [5]),
  row("4.3 -> 5.6.q", "edge", 4, 3),
  row("mlp_out 4", "mlp_out", 4, null, [5]),
  row("mlp_out 4", "mlp_out", 4, null, [6]),
  row("mlp_out 4", "mlp_out", 4, null, [5, 6]),
  row("mlp_out 3", "mlp_out", 3, null),
];
const own = (site: string, position: number | null): number[] =>
  ownEdits(EDITS, { site, position } as never).map(({ index }) => index);

it.each([
  [
    "4.3",
    null,
    [0, 2, 4],
    "a head has those of its parts, but for keys and values, which others share",
  ],
  ["3.4", null, [1], "and none of the head whose numbers are turned round"],
  ["4.3.k", null, [3], "a part has its own"],
  ["mlp_out 4", null, [6, 7, 8], "a component has those at any position"],
  ["mlp_out 4", 5, [6], "at one position, those of it alone"],
  ["mlp_out 4", 6, [7], "wherever it is"],
])("%s at %s: %j, %s", (site, position, expected, _why) => {
  expect(own(site, position)).toEqual(expected);
});
