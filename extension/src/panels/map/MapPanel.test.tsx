// Every kind of map: what its cells are, what a click on one asks for, and when it follows a step.

import { afterEach, describe, expect, it, vi } from "vitest";
import { unfinished, withSetup } from "../../../dev/altered";
import { until } from "../../../dev/clock";
import { AS_RECORDED } from "../../../dev/player";
import { drawn, type Mounted, mounted } from "../board/mounted";

let panel: Mounted;
async function mount(...on: Parameters<typeof mounted>): Promise<void> {
  panel = await mounted(...on);
}
afterEach(() => panel.unmount());

const tab = (map: string): HTMLElement => panel.$(`[data-cb="map-choice"] [data-value="${map}"]`);
const steps = (): object[] => panel.asked().filter((body) => "site" in body && "positions" in body);

describe("the choice of a map", () => {
  it("offers those that the model has", async () => {
    await mount("pair", { alter: withSetup(() => ({ maps: ["head", "mlp_out"] })) });
    const shown = [...panel.cb("map-choice").children].map((child) => child.textContent);
    expect(shown).toEqual(["Heads", "MLP out"]);
  });

  it.each(["resid_pre", "attn_out", "mlp_out"])(
    "%s has a cell a layer and position",
    async (map) => {
      await mount();
      await panel.click(tab(map));
      expect(panel.all("cell")).toHaveLength(12 * 15);
      const cell = panel.$(`[data-cb="cell"][data-site="${map}"][data-layer="3"][data-pos="10"]`);
      await panel.click(cell);
      expect(steps()).toEqual([{ kind: "click", site: `${map} 3`, positions: [10] }]);
      expect(cell.getAttribute("aria-pressed")).toBe("true");
      expect(cell.getAttribute("aria-label")).toMatch(`${map} 3 @ 10: effect`);
    },
  );

  it("head × position is of one layer, which can be chosen", async () => {
    await mount();
    await panel.click(tab("head_pos"));
    expect(panel.cb("map-layer")).toHaveProperty("value", "0");
    const picker = panel.cb("map-layer") as HTMLSelectElement;
    picker.value = "9";
    picker.dispatchEvent(new Event("change", { bubbles: true }));
    await until(() =>
      expect(panel.$('[data-cb="cell"][data-site="head_pos"]').dataset.layer).toBe("9"),
    );
    expect(panel.asked()).toContainEqual({ kind: "set_view", map_layer: 9 });
    expect(panel.root.textContent).toContain("a head of layer 9 at one position");
    // A digit typed there looks for a layer; it does not choose what a click does.
    await panel.press(picker, "4");
    expect(panel.cb("mode").dataset.value).toBe("zero");
    const cell = panel.$('[data-cb="cell"][data-head="6"][data-pos="14"]');
    expect(Number(cell.dataset.effect)).toBeCloseTo(-1.06, 5);
    await panel.click(cell);
    expect(steps()).toEqual([{ kind: "click", site: "9.6", positions: [14] }]);
    expect(cell.getAttribute("aria-pressed")).toBe("true");
    const other = panel.$('[data-cb="cell"][data-head="6"][data-pos="13"]');
    expect(other.getAttribute("aria-pressed")).toBe("false");
  });

  it("neurons are those that were chosen, at the selected positions", async () => {
    await mount();
    await panel.click(tab("neuron"));
    const cell = panel.$('[data-cb="cell"][data-site="neuron"][data-layer="9"][data-rank="0"]');
    expect(cell.dataset.index).toBe("9");
    await panel.click(cell);
    expect(steps()).toEqual([{ kind: "click", site: "neuron 9.9", positions: null }]);
    expect(cell.getAttribute("aria-pressed")).toBe("true");
  });

  it("arrows move from tab to tab", async () => {
    await mount();
    await panel.press(tab("head"), "ArrowLeft");
    expect(panel.cb("map-choice").dataset.value).toBe("neuron");
    expect(document.activeElement).toBe(tab("neuron"));
  });

  it("a map that cannot be made says why", async () => {
    await mount();
    await panel.click(tab("neuron"));
    const error = {
      code: "no_ranking",
      message: "This metric has no gradient <b>.</b>",
      where: null,
    };
    panel.kernel.again("map", unfinished(0, { status: "failed", error }));
    await until(() =>
      expect(panel.cb("map-refused").textContent).toBe("This metric has no gradient <b>.</b>"),
    );
    expect(panel.all("cell")).toHaveLength(0);
    await panel.click(tab("mlp_out"));
    expect(panel.cb("map-choice").dataset.value).toBe("mlp_out");
  });
});

describe("the live switch", () => {
  const head = (): HTMLElement => panel.$('[data-cb="head"][data-layer="9"][data-head="6"]');

  it("shows what the map took", async () => {
    await mount();
    expect(panel.cb("live").getAttribute("aria-checked")).toBe("true");
    expect(panel.cb("map-cost").textContent).toBe("62 ms");
    expect(panel.all("map-stale")).toHaveLength(0);
  });

  it("off leaves the map as it is, marked, until it is asked for", async () => {
    await mount();
    await panel.click(panel.cb("live"));
    expect(panel.all("map-stale")).toHaveLength(0);
    await panel.click(head());
    expect(panel.cb("map-stale").textContent).toBe("stale");
    expect(panel.$('[role="grid"]').dataset.stale).toBe("true");
    // Names say it when the cells show it.
    await until(() =>
      expect(head().getAttribute("aria-label")).toMatch(/ logits, before the last step/),
    );
    expect(panel.root.textContent).toContain("live is off");
    await panel.click(panel.cb("map-update"));
    expect(panel.asked()).toContainEqual({ kind: "resume_map" });
    expect(panel.all("map-stale")).toHaveLength(0);
    expect(panel.$('[role="grid"]').dataset.stale).toBe("false");
    expect(head().getAttribute("aria-label")).not.toContain("before");
  });

  it("on again computes it", async () => {
    await mount();
    await panel.click(panel.cb("live"));
    await panel.click(head());
    await panel.click(panel.cb("live"));
    expect(panel.asked()).toContainEqual({ kind: "set_view", live: true });
    expect(panel.all("map-stale")).toHaveLength(0);
  });
});

describe("what is not of now", () => {
  const grid = (): HTMLElement => panel.$('[role="grid"]');
  const name = (layer: number, head: number): string =>
    panel.$(`[data-layer="${layer}"][data-head="${head}"]`).getAttribute("aria-label") ?? "";

  it("is said in the names once it lasts; until then the map is busy", async () => {
    await mount();
    expect(grid().getAttribute("aria-busy")).toBe("false");
    const fresh = name(9, 9);
    panel.kernel.alter = unfinished(1);
    await panel.click(panel.$('[data-layer="2"][data-head="2"]'));
    expect(grid().getAttribute("aria-busy")).toBe("true");
    const [exact, old] = [name(9, 9), name(10, 7)];
    expect(exact).toBe(fresh);
    expect(old).toBe("head 10.7: effect +1.3 logits");
    await until(() =>
      expect(name(10, 7)).toBe("head 10.7: effect +1.3 logits, before the last step"),
    );
    expect(grid().getAttribute("aria-busy")).toBe("false");
    expect(name(9, 9)).toBe(fresh);
  });

  it("is said of what a computation left undone, for good", async () => {
    await mount();
    panel.kernel.alter = unfinished(1, { status: "cancelled" });
    await panel.click(panel.$('[data-layer="2"][data-head="2"]'));
    await until(() => expect(name(10, 7)).toContain("before the last step"));
  });

  it("is no reason to write the names twice when a map is there soon", async () => {
    await mount();
    const written = new Set<string>();
    const observer = new MutationObserver((changes) => {
      for (const { target } of changes)
        if (target instanceof HTMLElement) written.add(target.getAttribute("aria-label") ?? "");
    });
    observer.observe(grid(), { subtree: true, attributeFilter: ["aria-label"] });
    panel.kernel.alter = unfinished(0);
    await panel.click(panel.$('[data-layer="2"][data-head="2"]'));
    panel.kernel.again("map", AS_RECORDED);
    await drawn();
    observer.disconnect();
    expect([...written]).toEqual([expect.stringMatching(/^head 2\.2: .*edited: zero$/)]);
  });
});

describe("copying", () => {
  afterEach(() => vi.unstubAllGlobals());

  it.each([
    ["copy-csv", "csv", "site,value,effect,exact"],
    ["copy-step", "python", "cb.head(0, 0).zero()"],
  ])("%s asks for the text and copies it", async (button, what, text) => {
    await mount();
    await panel.click(panel.$('[data-cb="head"]'));
    const writeText = vi.fn(async (_: string) => undefined);
    vi.stubGlobal("ClipboardItem", undefined);
    vi.stubGlobal("navigator", { clipboard: { writeText } });
    await panel.click(panel.cb(button));
    await until(() => expect(panel.cb(button).textContent).toBe("Copied"));
    expect(panel.asked()).toContainEqual({ kind: "export", what });
    expect(writeText.mock.calls[0]?.[0]).toContain(text);
  });

  it("has no last step to copy before the first", async () => {
    await mount();
    expect((panel.cb("copy-step") as HTMLButtonElement).disabled).toBe(true);
  });
});
