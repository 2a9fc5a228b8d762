import { describe, expect, it } from "vitest";
import { type Box, placed } from "./place";

const box = (left: number, top: number, width: number, height: number): Box => ({
  left,
  top,
  right: left + width,
  bottom: top + height,
});
const PANEL = box(0, 0, 480, 600);
const SIZE = { width: 264, height: 90 };

describe("what floats", () => {
  it("stands below what it is about", () => {
    expect(placed(box(100, 100, 40, 16), SIZE, PANEL)).toEqual({
      left: 100,
      top: 122,
      above: false,
    });
  });

  it("stands above where there is no room below", () => {
    expect(placed(box(100, 560, 40, 16), SIZE, PANEL)).toEqual({
      left: 100,
      top: 464,
      above: true,
    });
  });

  it("stays inside the panel", () => {
    expect(placed(box(430, 100, 40, 16), SIZE, PANEL).left).toBe(480 - 8 - 264);
    expect(placed(box(-20, 100, 40, 16), SIZE, PANEL).left).toBe(8);
  });

  it("never covers what it is about", () => {
    for (let top = 0; top < 584; top += 7)
      for (let left = -30; left < 480; left += 31) {
        const anchor = box(left, top, 40, 16);
        const at = placed(anchor, SIZE, PANEL);
        const covers = at.top < anchor.bottom && at.top + SIZE.height > anchor.top;
        expect(covers).toBe(false);
      }
  });
});
