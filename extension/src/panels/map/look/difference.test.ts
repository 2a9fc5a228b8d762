import { describe, expect, it } from "vitest";
import { ESTIMATED, EXACT } from "../../../protocol/decode";
import { type Comparable, type Difference, differenceOf } from "./difference";

function map(effect: number[], change: Partial<Comparable> = {}): Comparable {
  return {
    over: "head",
    layers: [0, 1],
    shape: [2, effect.length / 2],
    index: null,
    effect: Float32Array.from(effect),
    known: new Uint8Array(effect.length).fill(EXACT),
    ...change,
  };
}

function difference(a: Comparable, b: Comparable): Difference {
  const compared = differenceOf(a, b);
  if (compared.refused !== null) throw new Error(compared.refused);
  return compared.difference;
}

describe("B − A", () => {
  it("is what B has more, cell by cell, on a scale of its own", () => {
    const found = difference(map([1, -2, 0, 0.5]), map([1, -0.5, 0.25, -1]));
    expect([...found.effect]).toEqual([0, 1.5, 0.25, -1.5]);
    expect([...found.known]).toEqual([1, 1, 1, 1]);
    expect(found.clip).toBe(1.5);
    expect([...found.a]).toEqual([1, -2, 0, 0.5]);
  });

  it("is an estimate where either is, and nothing where either is not known", () => {
    const a = map([1, 1, 1, 1], { known: Uint8Array.from([EXACT, ESTIMATED, EXACT, 0]) });
    const b = map([3, 3, 3, 3], { known: Uint8Array.from([EXACT, EXACT, 0, EXACT]) });
    const found = difference(a, b);
    expect([...found.known]).toEqual([EXACT, ESTIMATED, 0, 0]);
    expect([...found.effect]).toEqual([2, 2, Number.NaN, Number.NaN]);
  });

  it("of what is not finite is not finite", () => {
    const found = difference(
      map([Number.POSITIVE_INFINITY, Number.NaN, 0, 1]),
      map([Number.POSITIVE_INFINITY, 1, Number.NEGATIVE_INFINITY, 1]),
    );
    expect([...found.effect]).toEqual([Number.NaN, Number.NaN, Number.NEGATIVE_INFINITY, 0]);
  });

  it("of neurons is between the same neurons, wherever they rank", () => {
    const neurons = (index: number[]): Partial<Comparable> => ({
      over: "neuron",
      index: Int32Array.from(index),
    });
    const a = map([1, 2, 3, 4], neurons([10, 11, 20, 21]));
    const b = map([5, 6, 7, 8], neurons([11, 12, 20, -1]));
    const found = difference(a, b);
    expect([...found.effect]).toEqual([3, Number.NaN, 4, Number.NaN]);
    expect([...found.known]).toEqual([EXACT, 0, EXACT, 0]);
  });

  it("of neurons is never between those of the same number in other layers", () => {
    const neurons = (index: number[], known: number[]): Partial<Comparable> => ({
      over: "neuron",
      index: Int32Array.from(index),
      known: Uint8Array.from(known),
    });
    const a = map(
      [1.5, 2.25, 3.125, 4.75],
      neurons([10, 11, 20, 21], [EXACT, 0, ESTIMATED, EXACT]),
    );
    const b = map([5.5, 6.25, 7.875, 8.5], neurons([20, 10, 10, 20], [EXACT, EXACT, EXACT, EXACT]));
    const found = difference(a, b);
    expect([...found.effect]).toEqual([Number.NaN, 4.75, Number.NaN, 5.375]);
    expect([...found.known]).toEqual([0, EXACT, 0, ESTIMATED]);
    expect([...found.knownA]).toEqual([0, EXACT, 0, ESTIMATED]);
    expect([...found.a]).toEqual([Number.NaN, 1.5, Number.NaN, 3.125]);
  });
});

describe("maps that cannot be compared say why", () => {
  it.each([
    [
      map([1, 2]),
      map([1, 2], { over: "resid_pre" }),
      /A is a map of heads, this is one of the res/,
    ],
    [
      map([1, 2], { over: "head_pos", layers: [3] }),
      map([1, 2], { over: "head_pos", layers: [9] }),
      /A is of layer 3, this map of layer 9: choose layer 3/,
    ],
    [map([1, 2]), map([1, 2, 3, 4]), /A has 2 rows and 1 columns, this map 2 and 2/],
    [map([1, 2]), map([1, 2], { layers: [0, 3] }), /another model/],
  ])("%#", (a, b, why) => {
    expect(differenceOf(a, b).refused).toMatch(why);
  });
});
