// How a map is looked at: nothing is asked of the kernel, and what is left out is said.
import { afterEach, describe, expect, it } from "vitest";
import { both, unfinished, withEffects } from "../../../../dev/altered";
import { drawn, type Mounted, mounted } from "../../board/mounted";
import { PALETTES } from "./colour";

let panel: Mounted;
async function mount(...on: Parameters<typeof mounted>): Promise<void> {
  panel = await mounted(...on);
}
afterEach(() => panel.unmount());

const head = (layer: number, index: number): HTMLElement =>
  panel.$(`[data-cb="head"][data-layer="${layer}"][data-head="${index}"]`);
async function open(): Promise<void> {
  if (panel.all("view-unit").length === 0) await panel.click(panel.cb("view-menu"));
}
async function choose(name: string, value: string): Promise<void> {
  await open();
  const select = panel.cb(name) as HTMLSelectElement;
  select.value = value;
  select.dispatchEvent(new Event("change", { bubbles: true }));
  await drawn();
}
async function slide(name: string, value: number): Promise<void> {
  await open();
  const slider = panel.cb(name) as HTMLInputElement;
  slider.value = String(value);
  slider.dispatchEvent(new Event("input", { bubbles: true }));
  await drawn();
}
const said = (): string => panel.cb("map-look").textContent ?? "";

describe("the view menu", () => {
  it("opens with the focus in it, and Escape leads back", async () => {
    await mount();
    const button = panel.cb("view-menu");
    await panel.click(button);
    expect(button.getAttribute("aria-expanded")).toBe("true");
    expect(document.activeElement).toBe(panel.cb("view-unit"));
    await panel.press(panel.cb("view-unit"), "Escape");
    expect(panel.all("view-unit")).toHaveLength(0);
    expect(document.activeElement).toBe(button);
  });

  it("asks nothing of the kernel", async () => {
    await mount();
    await choose("view-unit", "share");
    await choose("view-order", "both");
    await slide("view-hide", 25);
    expect(panel.asked()).toEqual([]);
  });

  it("draws effects as a share of clean − corrupted; the hooks keep the metric's unit", async () => {
    await mount();
    await choose("view-unit", "share");
    expect(head(9, 9).getAttribute("aria-label")).toContain("\u22120.27 of clean \u2212 corrupted");
    expect(Number(head(9, 9).dataset.effect)).toBeCloseTo(-1.83);
    expect(said()).toContain("effects as a share of clean \u2212 corrupted");
  });

  it("has the colours, which the whole board follows and every view shares", async () => {
    await mount();
    const ramp = (of: string): string => panel.$(of).style.backgroundImage;
    const before = [head(9, 9).style.backgroundColor, ramp(".cb-ramp-bar")];
    await choose("view-colours", "purple-green");
    expect(panel.asked()).toEqual([{ kind: "set_view", colours: "purple-green" }]);
    expect(panel.kernel.view.colours).toBe("purple-green");
    expect(panel.cb("board").classList.contains("cb-colours-purple-green")).toBe(true);
    const { stops } = PALETTES["purple-green"].light;
    const drawnWith = `linear-gradient(to right, ${stops.join(", ")})`;
    expect([ramp(".cb-ramp-bar"), ramp(".cb-view-ramp")]).toEqual([drawnWith, drawnWith]);
    expect(head(9, 9).style.backgroundColor).not.toBe(before[0]);
    expect(ramp(".cb-ramp-bar")).not.toBe(before[1]);
    // A choice of the board is no way of looking that the caption has to state.
    expect(panel.all("map-look")).toHaveLength(0);
  });

  it("does not offer other colours while no kernel keeps them", async () => {
    await mount();
    await open();
    const choice = (): boolean => (panel.cb("view-colours") as HTMLSelectElement).disabled;
    expect(choice()).toBe(false);
    panel.kernel.emit("comm:close");
    await drawn();
    expect(choice()).toBe(true);
  });

  it("without a corrupted run has no share to offer", async () => {
    await mount("single");
    await open();
    const share = panel.cb("view-unit").querySelector<HTMLOptionElement>('[value="share"]');
    expect(share?.disabled).toBe(true);
  });

  it("sorts rows and columns by effect, for the eye and for the keys", async () => {
    await mount();
    await choose("view-order", "both");
    const rows = [...panel.root.querySelectorAll('.cb-map [role="row"]')];
    expect(rows[0]?.querySelector<HTMLElement>("button")?.dataset.layer).toBe("9");
    expect(rows[0]?.querySelector<HTMLElement>("button")?.dataset.head).toBe("9");
    expect(said()).toContain("rows and columns by largest |effect|");
    head(9, 9).focus();
    await panel.press(head(9, 9), "ArrowDown");
    expect((document.activeElement as HTMLElement).dataset.layer).toBe("10");
  });

  it("keeps the rows where they are while a map fills in", async () => {
    await mount();
    await choose("view-order", "rows");
    panel.kernel.again(
      "map",
      both(
        withEffects((layer) => layer / 10),
        unfinished(5),
      ),
    );
    await drawn();
    const first = panel.$('.cb-map [role="row"] button');
    expect(first.dataset.layer).toBe("9");
    expect(said()).toContain("of the last complete map");
  });

  it("hides what is under a threshold, and says how many and what it was", async () => {
    await mount();
    await slide("view-hide", 25);
    expect(head(9, 9).classList).not.toContain("cb-sunk");
    expect(head(2, 2).classList).toContain("cb-sunk");
    expect(head(2, 2).getAttribute("aria-label")).toContain("hidden by the view");
    expect(said()).toMatch(/under 0\.48 logits hidden \(\d+ of 144 hidden\)/);
    expect(panel.root.textContent).toMatch(/\d+ hidden/);
    await panel.click(panel.cb("view-reset"));
    expect(head(2, 2).classList).not.toContain("cb-sunk");
    expect(panel.all("map-look")).toHaveLength(0);
  });

  it("shows edited or exact heads alone, or some layers", async () => {
    await mount("pair", { alter: unfinished(20, { estimated: true }) });
    await panel.click(head(9, 6));
    await choose("view-show", "edited");
    expect(head(9, 9).classList).toContain("cb-sunk");
    expect(head(9, 6).classList).not.toContain("cb-sunk");
    expect(said()).toContain("edited heads only");
    await choose("view-show", "exact");
    expect(panel.root.querySelectorAll(".cb-map .cb-sunk.cb-cell")).toHaveLength(124);
    await choose("view-show", "all");
    await choose("view-from", "8");
    expect(panel.all("head")).toHaveLength(4 * 12);
    expect(panel.$('[role="grid"]').getAttribute("aria-rowcount")).toBe("4");
    expect(said()).toContain("layers 8 to 11 only");
  });

  it("puts numbers in cells from where it is told", async () => {
    await mount();
    expect(head(9, 9).textContent).toBe("\u22121.8");
    expect(head(5, 5).textContent).toBe("");
    await slide("view-numbers", 10);
    expect(head(5, 5).textContent).toBe("\u22120.2");
    expect(said()).toContain("numbers from 0.19 logits");
  });
});

describe("comparing two maps", () => {
  // 10.7 works against 9.9, so that the map is not what it was.
  async function ablated(): Promise<void> {
    await mount("dataset");
    await panel.click(head(9, 9));
  }
  const numberOf = (text: string | undefined): number => Number(text?.replace("\u2212", "-"));
  /** The difference as the name of its cell has it. */
  const saidOf = (layer: number, index: number): number => {
    const name = head(layer, index).getAttribute("aria-label") ?? "";
    return numberOf(/: B minus A (\S+) logits/.exec(name)?.[1]);
  };
  const effectOf = (layer: number, index: number): number =>
    Number(head(layer, index).dataset.effect);

  it("draws what the live map has more than the clean run", async () => {
    await ablated();
    await choose("view-compare", "unedited");
    expect(panel.cb("map-side").dataset.value).toBe("difference");
    expect(saidOf(10, 7)).toBeCloseTo(-0.9, 5);
    expect(effectOf(10, 7)).toBeCloseTo(0.41);
    expect(panel.$(".cb-caption").textContent).toContain("A: the same on the clean run");
    await panel.click(panel.$('[data-cb="map-side"] [data-value="a"]'));
    expect(head(10, 7).getAttribute("aria-label")).toContain("effect in A +1.3 logits");
    await panel.click(panel.cb("compare-close"));
    expect(panel.all("comparison")).toHaveLength(0);
    expect(head(10, 7).getAttribute("aria-label")).toMatch(/effect \+0\.41 \u00b1 \S+ logits/);
  });

  it("says all three numbers of a cell", async () => {
    await ablated();
    await choose("view-compare", "unedited");
    head(10, 7).dispatchEvent(new Event("pointerover", { bubbles: true }));
    await drawn(140);
    const card = panel.$(".cb-tip").textContent ?? "";
    const [, difference, a, b] =
      /B \u2212 A (\S+) logits.*A clean run (\S+).*B now (\+\d\.\d+)/.exec(card) ?? [];
    expect(numberOf(difference)).toBeCloseTo(-0.9, 5);
    expect([numberOf(a), numberOf(b)]).toEqual([expect.closeTo(1.31, 5), expect.closeTo(0.41, 5)]);
  });

  it("keeps a map by the name of its state, and follows the next steps", async () => {
    await ablated();
    await choose("view-compare", "now");
    expect(panel.cb("comparison").textContent).toContain("zero 9.9");
    expect(head(10, 7).getAttribute("aria-label")).toContain("B minus A 0.00");
    await panel.click(panel.cb("undo"));
    expect(saidOf(10, 7)).toBeCloseTo(0.9, 5);
  });

  it("with the clean run goes on with other maps that were seen of it", async () => {
    await mount();
    await panel.click(panel.$('[data-cb="map-choice"] [data-value="resid_pre"]'));
    await panel.click(panel.$('[data-cb="map-choice"] [data-value="head"]'));
    await panel.click(head(9, 9));
    await choose("view-compare", "unedited");
    await panel.click(panel.$('[data-cb="map-choice"] [data-value="resid_pre"]'));
    expect(panel.cb("map-side").dataset.value).toBe("difference");
    expect(panel.$(".cb-caption").textContent).toContain("the residual stream");
  });

  it("of different things is refused in words", async () => {
    await ablated();
    await choose("view-compare", "unedited");
    await panel.click(panel.$('[data-cb="map-choice"] [data-value="resid_pre"]'));
    expect(panel.cb("comparison").textContent).toContain("A is a map of heads");
    expect(panel.cb("map-side").dataset.value).toBe("b");
    const difference = panel.$('[data-cb="map-side"] [data-value="difference"]');
    expect((difference as HTMLButtonElement).disabled).toBe(true);
  });
});
