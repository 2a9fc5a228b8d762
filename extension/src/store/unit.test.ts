import { describe, expect, it } from "vitest";
import { recorded } from "../../dev/recorded";
import { withInertUnits } from "./unit";

describe("units", () => {
  it("are left alone where they are words", () => {
    const snapshot = recorded("pair").snapshot;
    expect(withInertUnits(snapshot)).toBe(snapshot);
  });

  it("are short and visible, whatever they hold", () => {
    const { metric, ...rest } = recorded("pair").snapshot;
    const more_metrics = [{ ...metric, unit: "\u202elogits" }];
    const hostile = { ...rest, metric: { ...metric, unit: "x".repeat(1000) }, more_metrics };
    const shown = withInertUnits(hostile);
    expect(shown.metric.unit).toHaveLength(24);
    expect(shown.more_metrics[0]?.unit).toBe("\u27e8U+202E\u27e9logits");
  });
});
