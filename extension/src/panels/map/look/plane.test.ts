import { describe, expect, it } from "vitest";
import { type EffectMap, ESTIMATED, EXACT } from "../../../protocol/decode";
import { PLAIN } from "../../../store/look";
import { differenceOf } from "./difference";
import { errorAt, hasNumber, numberIn, OLD, type PlaneContext, planeOf, shareOf } from "./plane";

const real = (value: number) => ({ value, special: null });
const MAP = {
  over: "head",
  layers: [0, 1],
  shape: [2, 2],
  index: null,
  effect: Float32Array.from([1, -3, 0.5, 0]),
  known: Uint8Array.from([EXACT, EXACT, ESTIMATED, 0]),
  stderr: Float32Array.from([0.1, 0.2, Number.NaN, Number.NaN]),
  before: Float32Array.from([9, 9, 9, 2]),
} as unknown as EffectMap;
const CONTEXT: PlaneContext = {
  map: MAP,
  look: PLAIN,
  clip: 3,
  baselines: { clean: real(3), corrupted: real(-1) },
  unit: "logits",
  difference: null,
  edits: new Map([[1, { how: "zero", enabled: true, index: 0 }]]),
};
const look = (change: object): PlaneContext => ({ ...CONTEXT, look: { ...PLAIN, ...change } });

describe("what a map draws", () => {
  it("is what is known, else what was before", () => {
    const plane = planeOf(CONTEXT);
    expect([...plane.value]).toEqual([1, -3, 0.5, 2]);
    expect([...plane.kind]).toEqual([EXACT, EXACT, ESTIMATED, OLD]);
    expect(errorAt(plane, 0, 1)).toBeCloseTo(0.2);
    expect(errorAt(plane, 1, 0)).toBeNull();
  });

  it("as a share is divided by clean minus corrupted, scale and errors too", () => {
    const plane = planeOf(look({ unit: "share" }));
    expect([...plane.value]).toEqual([0.25, -0.75, 0.125, 0.5]);
    expect(plane.clip).toBe(0.75);
    expect(errorAt(plane, 0, 1)).toBeCloseTo(0.05);
    expect(plane.unit).toBe("of clean \u2212 corrupted");
  });

  it("as a share of a distance that is negative changes sign and no scale", () => {
    const baselines = { clean: real(-1), corrupted: real(3) };
    const plane = planeOf({ ...look({ unit: "share" }), baselines });
    expect(plane.value[1]).toBe(0.75);
    expect(plane.clip).toBe(0.75);
  });

  it("has no share without a corrupted run", () => {
    expect(shareOf({ clean: real(1), corrupted: null })).toBeNull();
    expect(shareOf({ clean: real(1), corrupted: real(1) })).toBeNull();
    const baselines = { clean: real(3), corrupted: null };
    expect(planeOf({ ...look({ unit: "share" }), baselines }).unit).toBe("logits");
  });

  it("sinks what the look leaves out, and nothing that is not known", () => {
    expect(planeOf(CONTEXT).sunk).toBeNull();
    expect([...(planeOf(look({ hideBelow: 1.5 })).sunk ?? [])]).toEqual([1, 0, 1, 0]);
    expect([...(planeOf(look({ show: "edited" })).sunk ?? [])]).toEqual([1, 0, 1, 1]);
    expect([...(planeOf(look({ show: "exact" })).sunk ?? [])]).toEqual([0, 0, 1, 1]);
    const bare = { ...look({ hideBelow: 1.5 }), map: { ...MAP, before: null } };
    expect([...(planeOf(bare).sunk ?? [])]).toEqual([1, 0, 1, 0]);
    expect(planeOf(bare).kind[3]).toBe(0);
  });

  it("carries numbers from where it is told, and never an estimate's", () => {
    const plane = planeOf(look({ numbersFrom: 2 }));
    expect([hasNumber(plane, 1, EXACT), hasNumber(plane, -3, EXACT)]).toEqual([false, true]);
    expect(hasNumber(plane, -3, ESTIMATED)).toBe(false);
  });
});

it("a number drops its zero before it drops out", () => {
  expect(numberIn(-0.158, 0.15, 5)).toBe("\u22120.16");
  expect(numberIn(-0.158, 0.15, 4)).toBe("\u2212.16");
  expect(numberIn(-0.158, 0.15, 3)).toBeNull();
  expect(numberIn(-12.4, 10, 4)).toBeNull();
  expect(numberIn(Number.NaN, 1, 3)).toBe("nan");
});

describe("a comparison", () => {
  const kept = { ...MAP, effect: Float32Array.from([2, 1, 0, 4]), known: MAP.known };
  const compared = differenceOf(kept, MAP);
  const difference = compared.refused === null ? compared.difference : null;

  it("draws either side or what B has more, on its own scale", () => {
    const draw = (side: string) => planeOf({ ...look({ side }), difference });
    expect(draw("a").value[1]).toBe(1);
    expect(draw("b").value[1]).toBe(-3);
    expect(draw("difference").value[1]).toBe(-4);
    expect(draw("difference").clip).toBe(difference?.clip);
    expect(draw("difference").kind[2]).toBe(ESTIMATED);
    expect(errorAt(draw("difference"), 0, 1)).toBeNull();
  });

  it("that is refused draws the live map", () => {
    expect(planeOf(look({ side: "difference" })).side).toBe("b");
  });
});
