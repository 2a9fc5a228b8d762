import { describe, expect, it } from "vitest";
import { FakeKernel } from "../../dev/fake_kernel";
import { withInertUnits } from "./unit";

describe("units", () => {
  it("are left alone where they are words", () => {
    const snapshot = new FakeKernel().snapshot();
    expect(withInertUnits(snapshot)).toBe(snapshot);
  });

  it("are short and visible, whatever they hold", () => {
    const snapshot = new FakeKernel({ moreMetrics: [["p", "\u202elogits", 1]] }).snapshot();
    const hostile = { ...snapshot, metric: { ...snapshot.metric, unit: "x".repeat(1000) } };
    const shown = withInertUnits(hostile);
    expect(shown.metric.unit).toHaveLength(24);
    expect(shown.more_metrics[0]?.unit).toBe("\u27e8U+202E\u27e9logits");
  });
});
