import { expect, it } from "vitest";
import { BOX, inSight, ROW } from "./window";

it("covers what is in sight and no more than some rows around it", () => {
  for (const scrolled of [0, 7, 500, 100_000, 10_000 * ROW - BOX]) {
    const { from, to } = inSight(10_000, scrolled);
    expect(from * ROW).toBeLessThanOrEqual(scrolled);
    expect(to * ROW).toBeGreaterThanOrEqual(Math.min(10_000 * ROW, scrolled + BOX));
    expect(to - from).toBeLessThan(100);
  }
});

it("stays within the table, also when that has become shorter", () => {
  const { from, to } = inSight(300, 100_000);
  expect([from >= 0, to]).toEqual([true, 300]);
  expect(from).toBeLessThan(to);
});

it("is a short table as a whole", () => {
  expect(inSight(3, 0)).toEqual({ from: 0, to: 3 });
  expect(inSight(200, 500)).toEqual({ from: 0, to: 200 });
});
