// The share-out of the room: separators by keyboard and pointer, within what the content can bear, kept.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { until } from "../../../dev/clock";
import { type Mounted, mounted } from "./mounted";
import {
  AS_DESIGNED,
  columnsAt,
  designedHeight,
  HEIGHT,
  keep,
  mapHeight,
  measures,
  type Regions,
  SIDE,
  storedRegions,
} from "./regions";

const regions = (change: Partial<Regions>): Regions => ({ ...AS_DESIGNED, ...change });

beforeEach(() => localStorage.clear());

describe("the share-out", () => {
  it("as designed gives the map a little more than the detail, at any width", () => {
    for (const width of [820, 1079, 1080, 1168, 2400]) {
      const { map, side } = measures(AS_DESIGNED, width, 12);
      expect(map.now).toBeGreaterThan(50);
      expect(map.now).toBeLessThan(56);
      if (columnsAt(width) < 3) continue;
      expect(side.now).toBeGreaterThanOrEqual(252);
      expect(side.now).toBeLessThanOrEqual(300);
    }
  });

  it("has its columns where the styles have theirs, which count the borders", () => {
    expect([817, 818, 1077, 1078].map(columnsAt)).toEqual([1, 2, 2, 3]);
  });

  it("never cuts a region off, whatever is asked for", () => {
    for (const width of [820, 900, 1080, 1168, 1600])
      for (const wanted of [0, 0.01, 0.5, 0.99, 1, 40])
        for (const side of [0, 252, 9000]) {
          const now = measures(regions({ map: wanted, side }), width, 12);
          const both = width - (columnsAt(width) === 3 ? now.side.now : 0);
          expect((now.map.now / 100) * both).toBeGreaterThanOrEqual(372 - 1);
          expect((1 - now.map.now / 100) * both).toBeGreaterThanOrEqual(340 - 1);
          expect(now.side.now).toBeGreaterThanOrEqual(SIDE.least);
        }
  });

  it("is as high as the map of a model of its depth needs, within reason", () => {
    expect(designedHeight(2)).toBe(designedHeight(12));
    expect(mapHeight(4)).toBeLessThan(mapHeight(12));
    expect(mapHeight(0)).toBe(mapHeight(12));
    expect(designedHeight(30)).toBeGreaterThan(designedHeight(12));
    expect(designedHeight(48)).toBe(designedHeight(200));
    expect(measures(regions({ height: 10 }), 1168, 12).height.now).toBe(HEIGHT.least);
  });

  it("is kept, and what cannot be read is as designed", () => {
    keep(regions({ map: 0.6, height: 700 }));
    expect(storedRegions()).toEqual({ map: 0.6, side: null, height: 700 });
    for (const text of ["", "{", "[]", '"x"', '{"map":"<b>","side":{},"height":null}']) {
      localStorage.setItem("circuitboard.regions", text);
      expect(storedRegions()).toEqual(AS_DESIGNED);
    }
    keep(AS_DESIGNED);
    expect(localStorage.getItem("circuitboard.regions")).toBeNull();
  });

  it("does without storage where the host forbids it", () => {
    vi.spyOn(Storage.prototype, "getItem").mockImplementation(() => {
      throw new DOMException("denied", "SecurityError");
    });
    vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
      throw new DOMException("denied", "SecurityError");
    });
    expect(storedRegions()).toEqual(AS_DESIGNED);
    expect(() => keep(regions({ map: 0.6 }))).not.toThrow();
  });
});

describe("a separator", () => {
  let panel: Mounted;
  afterEach(() => panel.unmount());
  const value = (name: string): number => Number(panel.cb(name).getAttribute("aria-valuenow"));
  const main = (): CSSStyleDeclaration => panel.$(".cb-main").style;

  it("says what it is and between which ends it moves", async () => {
    panel = await mounted();
    for (const name of ["separator-map", "separator-side", "separator-height"]) {
      const found = panel.cb(name);
      expect(found.getAttribute("role")).toBe("separator");
      expect(found.tabIndex).toBe(0);
      expect(found.getAttribute("aria-label")).toMatch(/^(?:Width|Height) of /);
      const [least, most] = ["min", "max"].map((end) =>
        Number(found.getAttribute(`aria-value${end}`)),
      );
      expect(value(name)).toBeGreaterThanOrEqual(least as number);
      expect(value(name)).toBeLessThanOrEqual(most as number);
    }
  });

  it("moves by arrows, to its ends, and back with Enter; the next board begins there", async () => {
    panel = await mounted();
    const height = panel.cb("separator-height");
    const designed = value("separator-height");
    await panel.press(height, "ArrowDown");
    await panel.press(height, "ArrowDown");
    expect(value("separator-height")).toBe(designed + 32);
    await panel.press(height, "ArrowUp", { shiftKey: true });
    expect(value("separator-height")).toBe(designed + 32 - 80);
    await panel.press(height, "End");
    expect(main().getPropertyValue("--cb-main-height")).toBe(`${HEIGHT.most}px`);
    const side = panel.cb("separator-side");
    await panel.press(side, "ArrowLeft");
    expect(value("separator-side")).toBe(252 + 16);
    panel.unmount();
    panel = await mounted();
    expect(value("separator-height")).toBe(HEIGHT.most);
    expect(value("separator-side")).toBe(252 + 16);
    await panel.press(panel.cb("separator-height"), "Enter");
    expect(value("separator-height")).toBe(designed);
    panel.cb("separator-side").dispatchEvent(new MouseEvent("dblclick", { bubbles: true }));
    await until(() => expect(value("separator-side")).toBe(252));
  });

  it("follows the pointer that drags it, and is kept when it is let go", async () => {
    panel = await mounted();
    const found = panel.cb("separator-side");
    const at = (type: string, clientX: number): boolean =>
      found.dispatchEvent(
        new PointerEvent(type, { bubbles: true, cancelable: true, button: 0, clientX }),
      );
    at("pointermove", 500);
    at("pointerdown", 800);
    at("pointermove", 770);
    await until(() => expect(value("separator-side")).toBe(282));
    expect(storedRegions().side).toBeNull();
    at("pointermove", 100);
    at("pointerup", 100);
    await until(() => expect(value("separator-side")).toBeGreaterThan(282));
    expect(storedRegions().side).toBe(value("separator-side"));
    at("pointermove", 900);
    expect(storedRegions().side).toBe(value("separator-side"));
  });

  it("keeps its keys from the board", async () => {
    panel = await mounted();
    await panel.press(panel.cb("separator-map"), "ArrowRight");
    expect(panel.asked()).toEqual([]);
    await panel.press(panel.cb("separator-map"), "b");
    expect(panel.asked()).toEqual([{ kind: "set_base", base: "corrupted" }]);
  });
});
