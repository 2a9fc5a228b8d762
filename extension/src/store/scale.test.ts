import { describe, expect, it } from "vitest";
import type { EffectMap } from "../protocol/decode";
import { baselineDistance, clipOf, nextScale, roundUp } from "./scale";

const real = (value: number) => ({ value, special: null });
const all = (n: number): Uint8Array => new Uint8Array(n).fill(1);

describe("rounding a scale", () => {
  it.each([
    [1.83, 1.9],
    [0.0371, 0.038],
    [13.2, 14],
    [0.1, 0.1],
    [1, 1],
    [250, 250],
    [0, 0],
    [Number.NaN, 0],
    [Number.POSITIVE_INFINITY, 0],
  ])("%f goes to %f", (x, expected) => {
    expect(roundUp(x)).toBe(expected);
  });

  it("never cuts off what it rounds", () => {
    for (let x = 1e-5; x < 1e4; x *= 1.0937)
      expect(roundUp(x)).toBeGreaterThanOrEqual(x * (1 - 1e-6));
  });
});

describe("the clip", () => {
  it("is the 98th percentile of |effect|", () => {
    const effect = Float32Array.from({ length: 101 }, (_, i) => (i % 2 === 0 ? i : -i));
    expect(clipOf(effect, all(101))).toBe(98);
  });

  it("ignores what is not finite and what is not known", () => {
    const effect = Float32Array.from([1, Number.NaN, Number.POSITIVE_INFINITY, 50, -2]);
    const known = Uint8Array.from([1, 1, 1, 0, 1]);
    expect(clipOf(effect, known)).toBe(1);
    expect(clipOf(Float32Array.from([Number.NaN]), all(1))).toBe(0);
  });

  it("stands still while a map fills in, and moves when it is done", () => {
    const map = { effect: Float32Array.from([4]), known: all(1), status: "computing" } as EffectMap;
    expect(nextScale(map, 2)).toBe(2);
    expect(nextScale(map, undefined)).toBe(4);
    expect(nextScale({ ...map, status: "done" }, 2)).toBe(4);
  });
});

describe("the distance of the baselines", () => {
  it("is there only when both are finite and apart", () => {
    expect(baselineDistance({ clean: real(3.5), corrupted: real(-3) })).toBe(6.5);
    expect(baselineDistance({ clean: real(3), corrupted: null })).toBeNull();
    expect(baselineDistance({ clean: real(3), corrupted: real(3) })).toBeNull();
    expect(
      baselineDistance({ clean: { value: null, special: "nan" }, corrupted: real(3) }),
    ).toBeNull();
  });
});
