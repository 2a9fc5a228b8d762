// What leaves the panel is what is seen: the way the map is looked at goes with the request.
import { afterEach, describe, expect, it, vi } from "vitest";
import type { MapLook } from "../../../protocol/generated";
import { drawn, type Mounted, mounted } from "../../board/mounted";

let panel: Mounted;
afterEach(() => {
  panel.unmount();
  vi.unstubAllGlobals();
});

async function mount(): Promise<void> {
  const clipboard = { writeText: () => Promise.resolve() };
  vi.stubGlobal("navigator", { clipboard });
  panel = await mounted();
}
async function choose(name: string, value: string): Promise<void> {
  if (panel.all("view-unit").length === 0) await panel.click(panel.cb("view-menu"));
  const select = panel.cb(name) as HTMLSelectElement;
  select.value = value;
  select.dispatchEvent(new Event("change", { bubbles: true }));
  await drawn();
}
async function slide(name: string, value: number): Promise<void> {
  const slider = panel.cb(name) as HTMLInputElement;
  slider.value = String(value);
  slider.dispatchEvent(new Event("input", { bubbles: true }));
  await drawn();
}
/** The look that goes with an export; undefined where none does. */
async function sent(what: "svg" | "png" | "csv" | "html"): Promise<MapLook | undefined> {
  panel.kernel.received.length = 0;
  await panel.click(panel.cb("export-button"));
  await panel.click(panel.$(`[data-cb="export-item"][data-value="${what}"]`));
  await drawn(20);
  const request = panel.kernel.received.find(({ kind }) => kind === "export");
  return (request as { look?: MapLook } | undefined)?.look;
}
const head = (layer: number, index: number): HTMLElement =>
  panel.$(`[data-cb="head"][data-layer="${layer}"][data-head="${index}"]`);

describe("an export", () => {
  it("of a map that is drawn as it was computed has no look", async () => {
    await mount();
    for (const what of ["svg", "png", "csv"] as const) expect(await sent(what)).toBeUndefined();
  });

  it("has the unit, the threshold and the cells that are shown", async () => {
    await mount();
    await choose("view-unit", "share");
    await slide("view-hide", 25);
    await choose("view-show", "exact");
    for (const what of ["svg", "png", "csv"] as const) {
      const look = await sent(what);
      expect(look).toMatchObject({ unit: "share", show: "exact", rows: null, against: null });
      expect(look?.hide_below).toBeCloseTo(0.49, 1);
    }
    expect(await sent("html"), "the page is of the board, not of this view").toBeUndefined();
  });

  it("has rows and columns in the order in which they are drawn", async () => {
    await mount();
    await choose("view-order", "rows");
    await choose("view-from", "8");
    const look = await sent("svg");
    expect(look?.columns).toBeNull();
    expect(look?.rows).toHaveLength(4);
    expect(look?.rows?.[0]).toBe(9);
    const shown = [...panel.root.querySelectorAll<HTMLElement>('.cb-map [role="row"] button')]
      .filter((_, i) => i % 12 === 0)
      .map(({ dataset }) => Number(dataset.layer));
    expect(look?.rows).toEqual(shown);
  });

  it("names the map that is compared with, and the side that is drawn", async () => {
    await mount();
    const before = panel.kernel.map.map_id;
    await panel.click(head(9, 9));
    await choose("view-compare", "unedited");
    expect(await sent("svg")).toMatchObject({ against: before, side: "difference" });
    await panel.click(panel.$('[data-cb="map-side"] [data-value="a"]'));
    expect(await sent("csv")).toMatchObject({ against: before, side: "a" });
    await panel.click(panel.cb("compare-close"));
    expect(await sent("svg")).toBeUndefined();
  });

  it("of a map that cannot be compared is of the live one", async () => {
    await mount();
    await panel.click(head(9, 9));
    await choose("view-compare", "now");
    await panel.click(panel.$('[data-cb="map-choice"] [data-value="resid_pre"]'));
    expect(panel.cb("comparison").dataset.refused).toBe("true");
    expect(await sent("svg")).toBeUndefined();
  });
});
