import { describe, expect, it } from "vitest";
import { fencesOf, isOutlier } from "./outliers";

const standOut = (numbers: readonly number[]): number[] => {
  const fences = fencesOf(numbers);
  return numbers.flatMap((x, i) => (isOutlier(x, fences) ? [i] : []));
};

describe("Tukey's fences", () => {
  it("are one and a half interquartile ranges outside quartiles that are interpolated", () => {
    // Quartiles 1.75 and 3.25 of 1, 2, 3, 4, so the fences are −0.5 and 5.5.
    const fences = fencesOf([4, 1, 3, 2]);
    expect(fences?.low).toBeCloseTo(-0.5, 4);
    expect(fences?.high).toBeCloseTo(5.5, 4);
  });

  it("single out what lies beyond them", () => {
    // Quartiles 1.25 and 3.75 with 100, fences −2.5 and 7.5.
    expect(standOut([1, 2, 3, 0, 4, 100])).toEqual([5]);
    expect(standOut([1, 2, 3, 0, 4, 7.4])).toEqual([]);
    expect(standOut([-50, 1, 2, 3, 0, 4])).toEqual([0]);
  });

  it("are the kernel's, number by number", () => {
    // Those of tests/analysis/test_per_prompt.py: quartiles 2.25 and 4.75, fences at −1.5 and 8.5.
    expect(standOut([1, 2, 3, 4, 5, 8.6])).toEqual([5]);
    expect(standOut([1, 2, 3, 4, 5, 8.4])).toEqual([]);
    expect(standOut([1, 2, 900])).toEqual([]);
    expect(standOut([1, 2, Number.NaN, Number.POSITIVE_INFINITY])).toEqual([2, 3]);
    expect(standOut([0.1, 0.1, 0.1, 0.1, 0.1 + 1e-8])).toEqual([]);
  });

  it("need four numbers", () => {
    expect(fencesOf([0, 0, 100])).toBeNull();
    expect(standOut([0, 0, 100])).toEqual([]);
    expect(standOut([0, 0, 0, 0, 100])).toEqual([4]);
  });

  it("take what is not finite for standing out, and no part in the quartiles", () => {
    expect(standOut([1, Number.NaN, 2, 3, Number.NEGATIVE_INFINITY, 4])).toEqual([1, 4]);
    expect(standOut([Number.NaN, 1])).toEqual([0]);
  });

  it("let rounding alone single out nobody", () => {
    expect(standOut([0, 0, 0, 0, 0])).toEqual([]);
    expect(standOut([0.3, 0.3, 0.3, 0.3 + 1e-7, 0.3])).toEqual([]);
  });
});
