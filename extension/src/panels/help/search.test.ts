import { describe, expect, it } from "vitest";
import { recorded } from "../../../dev/recorded";
import { type Reading, read } from "./search";

const { setup } = recorded("pair");
const ask = (text: string): Reading => read(text, setup, setup.prompts[0]);
const found = (text: string): object => {
  const reading = ask(text);
  if ("problem" in reading) throw new Error(reading.problem);
  const { map, site, position, layer } = reading.destination;
  return { map, site, position, layer };
};
const problem = (text: string): string => {
  const reading = ask(text);
  return "problem" in reading ? reading.problem : "";
};

describe("a component's name", () => {
  it.each(["9.6", "head 9.6", "L9H6", "l9 h6", " 9.6 ", "h 9.6"])("%s is a head", (text) => {
    expect(found(text)).toEqual({ map: "head", site: "9.6", position: null, layer: null });
  });

  it.each([
    ["mlp 3", "mlp_out", "mlp_out 3", 14],
    ["mlp_out 3 @ S2", "mlp_out", "mlp_out 3", 10],
    ["attn 11", "attn_out", "attn_out 11", 14],
    ["resid 5 @ END", "resid_pre", "resid_pre 5", 14],
    ["resid_pre 0 @ -2", "resid_pre", "resid_pre 0", 13],
    ["resid 5 @ end", "resid_pre", "resid_pre 5", 14],
    ["resid 5 @ gave", "resid_pre", "resid_pre 5", 11],
  ])("%s is on a map by position", (text, map, site, position) => {
    expect(found(text)).toEqual({ map, site, position, layer: null });
  });

  it("of a head at a position is on that layer's map", () => {
    expect(found("9.6 @ END")).toEqual({ map: "head_pos", site: "9.6", position: 14, layer: 9 });
  });

  it("of a neuron is on the map of neurons", () => {
    expect(found("neuron 3.141")).toMatchObject({ map: "neuron", site: "neuron 3.141" });
    expect(found("n3.141")).toMatchObject({ map: "neuron", site: "neuron 3.141" });
  });

  it("of a token or a label is a position", () => {
    expect(found("S2")).toMatchObject({ map: null, site: null, position: 10 });
    expect(found("shops")).toMatchObject({ map: null, site: null, position: 8 });
  });
});

describe("what names nothing is said in words", () => {
  it.each([
    ["9.16", "There is no head 9.16: a layer has 12 heads, 0 to 11."],
    ["12.0", "There is no layer 12: this model has 12 layers, 0 to 11."],
    ["mlp 3.2", "mlp_out has one part a layer: write mlp_out 3."],
    ["neuron 3", "Which neuron of layer 3? Write neuron 3.0."],
    ["9.6 @ XYZ", "No token or label is called XYZ; labels here: S1, IO, S2, END."],
    ["9.6 @ 15", "This prompt has 15 tokens, 0 to 14."],
    ["9.6 @ -16", "This prompt has 15 tokens, 0 to 14."],
  ])("%s", (text, words) => {
    expect(problem(text)).toBe(words);
  });

  it("keeps what was typed short", () => {
    expect(problem("x".repeat(5000)).length).toBeLessThan(140);
    expect(problem("<img src=x>")).toContain("is no component");
  });

  it("in a model without MLPs", () => {
    const without = { ...setup, maps: ["head" as const] };
    const reading = read("mlp 3", without, setup.prompts[0]);
    expect(reading).toEqual({ problem: "This model has no MLPs that can be edited." });
  });
});
