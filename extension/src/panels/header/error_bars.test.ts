import { expect, it } from "vitest";
import { FakeKernel } from "../../../dev/fake_kernel";
import { errorBars, errorBarsTitle, plusMinus } from "./error_bars";

it("says the standard error, the interval and how they were made", () => {
  const bars = errorBars(new FakeKernel({ prompts: 64 }).snapshot().metric);
  if (bars === null) throw new Error("no error bars");
  expect(plusMinus(bars, 2)).toBe("\u00b1 0.22");
  expect(errorBarsTitle(bars, "logits")).toBe(
    "Mean over n = 64 prompts, logits. Standard error s/\u221an = 0.2200. 95 % interval of the mean +3.1688 to +4.0312: percentile bootstrap, 1000 resamples of the n = 64 prompts.",
  );
});

it("has none for a single prompt, and no number where one is not finite", () => {
  expect(errorBars(new FakeKernel().snapshot().metric)).toBeNull();
  const bars = { n: 3, stderr: Number.NaN, low: Number.NaN, high: Number.NaN };
  expect(plusMinus(bars, 2)).toBe("");
  expect(errorBarsTitle(bars, "logits")).toContain("not every one of the 3 numbers is finite");
});
