import { describe, expect, it } from "vitest";
import { domainOf, place } from "./scale";

describe("the bar between the baselines", () => {
  it("has room beyond both, whichever is lower", () => {
    expect(domainOf(3, -1)).toEqual(domainOf(-1, 3));
    expect(domainOf(3, -1)?.low).toBeLessThan(-1);
  });

  it("goes from zero without a corrupted run, and stays a bar when both agree", () => {
    const domain = domainOf(2, null);
    expect(domain && domain.low < 0 && domain.high > 2).toBe(true);
    const flat = domainOf(0, 0);
    expect(flat && flat.high > flat.low).toBe(true);
  });

  it("is not there when a baseline is not finite", () => {
    expect(domainOf(Number.NaN, 1)).toBeNull();
    expect(domainOf(1, Number.POSITIVE_INFINITY)).toBeNull();
  });

  it("says on which side a number falls off", () => {
    const domain = { low: 0, high: 10 };
    expect(place(5, domain)).toEqual({ at: 0.5, beyond: null });
    expect(place(-1, domain)).toEqual({ at: 0, beyond: "below" });
    expect(place(11, domain)).toEqual({ at: 1, beyond: "above" });
  });
});
