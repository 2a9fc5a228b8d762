import { describe, expect, it } from "vitest";
import { attribute, direction, duration, inCell, percent, plain, signed } from "./number";

describe("numbers as words", () => {
  it.each([
    [1.423, "+1.42"],
    [-0.234, "\u22120.23"],
    [0, "0.00"],
    [-0, "0.00"],
    [0.0004, "+4e\u22124"],
    [-3e-6, "\u22123e\u22126"],
    [Number.NaN, "nan"],
    [Number.POSITIVE_INFINITY, "+\u221e"],
    [Number.NEGATIVE_INFINITY, "\u2212\u221e"],
  ])("%f is %s", (x, text) => {
    expect(signed(x)).toBe(text);
  });

  it("drops the plus where a sign would mislead", () => {
    expect(plain(41.2)).toBe("41.20");
    expect(plain(-1)).toBe("\u22121.00");
  });

  it("takes as many digits in a cell as its scale needs", () => {
    expect(inCell(-1.83, 2)).toBe("\u22121.8");
    expect(inCell(0.17, 0.18)).toBe("+0.17");
    expect(inCell(-0.0021, 0.003)).toBe("\u22120.0021");
    expect(inCell(-0.5, 0.98)).toBe("\u22120.5");
  });

  it("keeps every digit, and the names, in attributes", () => {
    expect(attribute(0.1 + 0.2)).toBe("0.30000000000000004");
    expect(attribute(Number.NaN)).toBe("nan");
    expect(attribute(Number.NEGATIVE_INFINITY)).toBe("-inf");
  });

  it("never calls a small share nothing", () => {
    expect(percent(0.4153)).toBe("41.5%");
    expect(percent(1e-9)).toBe("<0.1%");
    expect(percent(0)).toBe("0.0%");
    expect(percent(Number.NaN)).toBe("nan");
  });

  it("says times as people do", () => {
    expect([6.24, 62, 1840, 65_000].map(duration)).toEqual(["6.2 ms", "62 ms", "1.8 s", "1 min"]);
  });

  it("gives nothing and nan no direction", () => {
    expect([1, -1, 0, Number.NaN].map(direction)).toEqual(["cb-pos", "cb-neg", "", ""]);
  });
});
