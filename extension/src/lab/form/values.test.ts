import { describe, expect, it } from "vitest";
import { SHIPPED } from "../settings";
import { requestOf, startValues } from "./values";

describe("the form's question", () => {
  it("is none while there is no prompt", () => {
    expect(requestOf(startValues(SHIPPED, ""), SHIPPED)).toBeNull();
    const pair = { ...startValues(SHIPPED, "x"), source: "pair" as const };
    expect(requestOf(pair, SHIPPED)).toBeNull();
  });

  it("holds the fields that count, and only them", () => {
    const values = { ...startValues(SHIPPED, "When"), answer: " Mary", n: 9 };
    expect(requestOf(values, SHIPPED)).toEqual({
      model: { kind: "name", name: "demo" },
      prompts: {
        kind: "typed",
        clean: { text: "When" },
        corrupted: null,
        answer: " Mary",
        wrong: "",
      },
      metric: "logit_diff",
      base: "clean",
      view: {},
      memory_mb: null,
    });
  });

  it("names a variable instead of what was typed before it was chosen", () => {
    const values = { ...startValues(SHIPPED, "When"), cleanVariable: "text" };
    expect(requestOf(values, SHIPPED)).toMatchObject({ prompts: { clean: { variable: "text" } } });
  });

  it("says of the settings only what is not the panel's own default", () => {
    const defaults = {
      ...SHIPPED,
      mode: "mean" as const,
      live: false,
      updatesPerSecond: 10,
      colours: "purple-green" as const,
      memoryMb: 64,
    };
    expect(requestOf(startValues(defaults, "When"), defaults)).toMatchObject({
      view: { mode: "mean", live: false, updates_per_second: 10, colours: "purple-green" },
      memory_mb: 64,
    });
  });
});
