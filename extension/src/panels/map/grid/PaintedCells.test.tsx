// A map too large for one element a cell: the cells that one is at are elements all the same.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { drawn, type Mounted, mounted } from "../../board/mounted";

let panel: Mounted;
beforeEach(async () => {
  panel = await mounted("wide");
});
afterEach(() => panel.unmount());

const grid = (): HTMLElement => panel.$('.cb-map [role="grid"]');
const heads = (): string[] => panel.all("head").map((e) => `${e.dataset.layer}.${e.dataset.head}`);
const focused = (): DOMStringMap => (document.activeElement as HTMLElement).dataset;

async function pointAt(x: number, y: number, type = "pointermove"): Promise<void> {
  grid().dispatchEvent(new MouseEvent(type, { bubbles: true, clientX: x, clientY: y }));
  await drawn();
}
const pitch = (): number =>
  Number.parseFloat(panel.$(".cb-plot").style.getPropertyValue("--cb-pitch"));
const height = (): number =>
  Number.parseFloat(panel.$(".cb-plot").style.getPropertyValue("--cb-row"));

describe("a large map", () => {
  it("has a canvas, its size in words of ARIA, and one tab stop", () => {
    expect(panel.root.querySelector(".cb-map canvas")).not.toBeNull();
    expect(grid().getAttribute("aria-rowcount")).toBe("40");
    expect(grid().getAttribute("aria-colcount")).toBe("32");
    expect(heads()).toEqual(["0.0"]);
    expect(panel.cb("head").tabIndex).toBe(0);
    expect(panel.$('.cb-map [role="row"]').getAttribute("aria-rowindex")).toBe("1");
  });

  it("has the cell under the pointer as an element with its hooks", async () => {
    await pointAt(9.5 * pitch(), 9.5 * height());
    expect(heads()).toEqual(["0.0", "9.9"]);
    const cell = panel.$('[data-cb="head"][data-layer="9"][data-head="9"]');
    expect(Number(cell.dataset.effect)).toBeCloseTo(-1.83, 5);
    expect(cell.getAttribute("aria-label")).toBe("head 9.9: effect \u22121.83 logits");
    expect(cell.parentElement?.getAttribute("aria-colindex")).toBe("10");
    expect(cell.parentElement?.parentElement?.getAttribute("aria-rowindex")).toBe("10");
    await panel.click(cell);
    expect(panel.asked()).toContainEqual({ kind: "click", site: "9.9", positions: null });
    await pointAt(0, 0, "pointerleave");
    const edited = panel.$('[data-cb="head"][data-layer="9"][data-head="9"]');
    expect(edited.getAttribute("aria-pressed")).toBe("true");
  });

  it("is clicked where nothing was pointed at before", async () => {
    await pointAt(3.5 * pitch(), 2.5 * height(), "click");
    expect(panel.asked()).toContainEqual({ kind: "click", site: "2.3", positions: null });
  });

  it("is walked through by keys", async () => {
    const first = panel.cb("head");
    first.focus();
    await panel.press(first, "ArrowRight");
    expect(focused()).toMatchObject({ layer: "0", head: "1" });
    await panel.press(document.activeElement as HTMLElement, "PageDown");
    expect(focused()).toMatchObject({ layer: "10", head: "1" });
    await panel.press(document.activeElement as HTMLElement, "End", { ctrlKey: true });
    expect(focused()).toMatchObject({ layer: "39", head: "31" });
    await panel.press(document.activeElement as HTMLElement, "Home");
    expect(focused()).toMatchObject({ layer: "39", head: "0" });
  });
});

it("of neurons, positions or heads, a small map has an element a cell", async () => {
  panel.unmount();
  panel = await mounted();
  expect(panel.root.querySelector(".cb-map canvas")).toBeNull();
  expect(panel.all("head")).toHaveLength(144);
});
