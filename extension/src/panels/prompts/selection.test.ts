import { describe, expect, it } from "vitest";
import { range, toggleAlone, toggleIn } from "./selection";

describe("selecting positions", () => {
  it("a click selects one, and again all", () => {
    expect(toggleAlone(null, 3)).toEqual([3]);
    expect(toggleAlone([3], 3)).toBeNull();
    expect(toggleAlone([3, 4], 3)).toEqual([3]);
  });

  it("Ctrl adds and takes out; none is all", () => {
    expect(toggleIn([10], 3)).toEqual([3, 10]);
    expect(toggleIn([3, 10], 10)).toEqual([3]);
    expect(toggleIn([3], 3)).toBeNull();
  });

  it("a drag takes everything between, either way, on top of what is kept", () => {
    expect(range(2, 4)).toEqual([2, 3, 4]);
    expect(range(4, 2)).toEqual([2, 3, 4]);
    expect(range(4, 5, [1])).toEqual([1, 4, 5]);
  });
});
