import { expect, it } from "vitest";
import { recorded } from "../../../dev/recorded";
import { errorBars, errorBarsTitle, plusMinus } from "./error_bars";

it("says the standard error, the interval and how they were made", () => {
  const bars = errorBars(recorded("dataset").snapshot.metric);
  if (bars === null) throw new Error("no error bars");
  expect(plusMinus(bars, 2)).toBe("\u00b1 0.07");
  expect(errorBarsTitle(bars, "logits")).toBe(
    "Mean over n = 4 prompts, logits. Standard error s/\u221an = 0.0730. 95 % interval of the mean +3.4881 to +3.7364: percentile bootstrap, 1000 resamples of the n = 4 prompts.",
  );
});

it("has none for a single prompt, and no number where one is not finite", () => {
  expect(errorBars(recorded("pair").snapshot.metric)).toBeNull();
  const bars = { n: 3, stderr: Number.NaN, low: Number.NaN, high: Number.NaN };
  expect(plusMinus(bars, 2)).toBe("");
  expect(errorBarsTitle(bars, "logits")).toContain("not every one of the 3 numbers is finite");
});
