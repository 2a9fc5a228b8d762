import { render } from "preact";
import { expect, it } from "vitest";
import { type EffectMap, EXACT } from "../../../protocol/decode";
import { PLAIN } from "../../../store/look";
import { differenceOf } from "../look/difference";
import { planeOf } from "../look/plane";
import type { Geometry } from "./geometry";
import { HoverCard } from "./HoverCard";

const real = (value: number) => ({ value, special: null });
const numbers = (from: number, step: number): Float32Array =>
  Float32Array.from({ length: 9 }, (_, i) => from + i * step);
const map = (from: number): EffectMap =>
  ({
    over: "head",
    layers: [4, 5, 6],
    shape: [3, 3],
    index: null,
    effect: numbers(from, 0.125),
    known: new Uint8Array(9).fill(EXACT),
    stderr: numbers(0.011, 0.002),
    before: null,
  }) as unknown as EffectMap;

/** The card of the cell at row 2, column 1 of a map whose rows are sorted, so that it is drawn at row 0, column 2. */
function card(compared: boolean): string {
  const live = map(1.25);
  const found = compared ? differenceOf(map(7.5), live) : null;
  if (found !== null && found.refused !== null) throw new Error(found.refused);
  const plane = planeOf({
    map: live,
    look: compared ? { ...PLAIN, side: "difference" } : PLAIN,
    clip: 3,
    baselines: { clean: real(3), corrupted: real(-1) },
    unit: "logits",
    difference: found?.difference ?? null,
    edits: new Map(),
  });
  const root = document.createElement("div");
  render(
    <HoverCard
      plane={plane}
      spot={{ row: 2, column: 1 }}
      at={{ row: 0, column: 2 }}
      name="6.1"
      prompt={undefined}
      prompts={17}
      stale={false}
      edit={null}
      keptName="clean run"
      geometry={{ pitch: 20, height: 20, top: 10, seen: 400 } as unknown as Geometry}
      left={30}
    />,
    root,
  );
  return root.textContent ?? "";
}

it("says the effect and the error bar of its own cell, wherever the cell is drawn", () => {
  expect(card(false)).toContain("+2.125 \u00b1 0.025 logits (n=17)");
});

it("says both sides of its own cell", () => {
  const text = card(true);
  expect(text).toContain("\u22126.250");
  expect(text).toContain("A clean run +8.375");
  expect(text).toContain("B now +2.125");
});
