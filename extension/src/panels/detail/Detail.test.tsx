// The detail region: what it asks for, what it draws of each part, and what it says when there is none.
import { afterEach, describe, expect, it, vi } from "vitest";
import type { FakeOptions } from "../../../dev/fake_options";
import { drawn, type Mounted, mounted } from "../board/mounted";
import { pitchOf } from "./Attention";
import { namedTokens } from "./Pattern";

let panel: Mounted;
async function mount(options: Partial<FakeOptions> = {}): Promise<void> {
  panel = await mounted(options);
}
afterEach(() => panel.unmount());

const head = (layer: number, h: number): HTMLElement =>
  panel.$(`[data-cb="head"][data-layer="${layer}"][data-head="${h}"]`);
const detail = (): DOMStringMap => panel.cb("detail").dataset;
const shown = (site: string, revision: number): Promise<void> =>
  vi.waitFor(() => {
    expect(detail()).toMatchObject({ site, status: "shown", revision: String(revision) });
  });
const questions = (): object[] => panel.asked().filter((body) => "prompt" in body);

describe("a selection", () => {
  it("is none at first, and the region says what to do", async () => {
    await mount();
    expect(detail().status).toBe("empty");
    expect(panel.cb("detail").textContent).toContain("Shift-click looks without editing");
  });

  it("follows a click, and is read again after each step", async () => {
    await mount();
    await panel.click(head(9, 9));
    expect(detail()).toMatchObject({ site: "9.9", status: "loading" });
    await shown("9.9", 1);
    await panel.click(panel.cb("undo"));
    await shown("9.9", 2);
    const question = { kind: "detail", site: "9.9", position: null, prompt: 0 };
    expect(questions()).toEqual([question, question]);
  });

  it("by Shift-click and Shift-Enter edits nothing", async () => {
    await mount();
    await panel.click(head(9, 9), { shiftKey: true });
    await shown("9.9", 0);
    expect(head(9, 9).getAttribute("aria-current")).toBe("true");
    await panel.press(head(9, 6), "Enter", { shiftKey: true });
    await shown("9.6", 0);
    expect(panel.all("edit")).toHaveLength(0);
    await panel.click(panel.cb("detail-close"));
    expect(detail().status).toBe("empty");
  });

  it("of cells that are passed over asks for the last one only", async () => {
    await mount();
    for (const h of [0, 1, 2, 3]) await panel.click(head(5, h), { shiftKey: true });
    await shown("5.3", 0);
    expect(questions()).toHaveLength(1);
  });

  it("that a newer question of another view overtook is asked for again", async () => {
    await mount({ mute: new Set(["detail"]) });
    await panel.click(head(9, 9), { shiftKey: true });
    await vi.waitFor(() => expect(questions()).toHaveLength(1));
    panel.kernel.post({ kind: "superseded", id: panel.kernel.received.at(-1)?.id });
    await vi.waitFor(() => expect(questions()).toHaveLength(2));
    expect(detail().status).toBe("loading");
  });
});

describe("a head", () => {
  it("has its patterns, their difference and its direct effect", async () => {
    await mount();
    await panel.click(head(9, 9));
    await shown("9.9", 1);
    expect(panel.all("pattern").map(({ dataset }) => dataset.run)).toEqual([
      "current",
      "base",
      "difference",
    ]);
    expect(panel.cb("direct").dataset).toMatchObject({ value: "0.53", base: "0.6" });
    expect(panel.cb("pattern").dataset.tokens).toBe("15");
  });

  it("tells each weight in words, by keyboard", async () => {
    await mount();
    await panel.click(head(9, 9));
    await shown("9.9", 1);
    const cell = (): HTMLElement => panel.$('[data-run="base"] [role="gridcell"] button');
    await panel.press(cell(), "Home");
    const readout = panel.cb("pattern-readout");
    expect(readout.dataset).toMatchObject({ dest: "14", src: "0" });
    expect(Number(readout.dataset.current)).toBeCloseTo(0.2, 6);
    expect(Number(readout.dataset.base)).toBeCloseTo(0.6, 6);
    expect(cell().getAttribute("aria-label")).toBe(
      "from \u00b7to (END) to <|endoftext\u2026: 0.200 now, 0.600 in the base run, \u22120.400",
    );
    expect(document.activeElement).toBe(cell());
    await panel.press(cell(), "ArrowUp");
    await panel.press(cell(), "End");
    expect(panel.cb("pattern-readout").dataset).toMatchObject({ dest: "13", src: "13" });
    // No token looks ahead.
    await panel.press(cell(), "ArrowRight");
    expect(panel.cb("pattern-readout").dataset.src).toBe("13");
  });

  it("shows its effect by position once that is asked for", async () => {
    await mount();
    await panel.click(head(9, 9));
    await shown("9.9", 1);
    expect(panel.all("position-effect")).toHaveLength(0);
    await panel.click(panel.cb("detail-by-position"));
    await shown("9.9", 1);
    expect(panel.asked().at(-1)).toMatchObject({ kind: "detail", by_position: true });
    const effects = panel.all("position-effect");
    expect(effects).toHaveLength(15);
    expect(effects.at(-1)?.dataset).toMatchObject({ pos: "14", effect: "-1.5" });
    expect(effects.at(-1)?.textContent).toBe("\u22121.50END");
    // What is left of rounding is no effect.
    expect(effects.at(1)?.textContent).toBe("\u2248 0When");
    expect(effects.at(1)?.dataset.effect).toBe("1e-7");
  });
});

describe("an MLP at a position", () => {
  async function mlp(): Promise<void> {
    await mount();
    await panel.click(panel.$('[data-cb="map-choice"] [data-value="mlp_out"]'));
    await panel.click(panel.$('[data-cb="cell"][data-layer="3"][data-pos="10"]'), {
      shiftKey: true,
    });
    await shown("mlp_out 3", 0);
  }

  it("is read at that position", async () => {
    await mlp();
    expect(questions()).toEqual([{ kind: "detail", site: "mlp_out 3", position: 10, prompt: 0 }]);
    expect(panel.cb("detail").textContent).toContain("at S2");
    expect(panel.all("lens")).toHaveLength(12);
    expect(panel.all("lens")[2]?.dataset).toMatchObject({ site: "resid_pre 2", prob: "0.1" });
    expect(panel.all("pattern")).toHaveLength(0);
  });

  it("has neurons that a click edits there, and takes back", async () => {
    await mlp();
    const row = (): HTMLElement => panel.$('[data-cb="neuron"][data-layer="3"][data-index="141"]');
    expect(row().dataset.effect).toBe("-0.75");
    await panel.click(row());
    expect(panel.asked()).toContainEqual({
      kind: "click",
      site: "neuron 3.141",
      positions: [10],
    });
    await shown("mlp_out 3", 1);
    expect(row().querySelector("button")?.getAttribute("aria-pressed")).toBe("true");
    await panel.click(row());
    expect(panel.all("edit")).toHaveLength(0);
  });
});

describe("what cannot be shown", () => {
  it("is said in words, and the board goes on", async () => {
    await mount({ mute: new Set(["detail"]) });
    await panel.click(head(9, 9), { shiftKey: true });
    await vi.waitFor(() => expect(questions()).toHaveLength(1));
    const error = { code: "out_of_memory", message: "<img src=x> needs 3 GB.", where: null };
    panel.kernel.post({ kind: "failed", id: panel.kernel.received.at(-1)?.id, error });
    await vi.waitFor(() => expect(detail().status).toBe("error"));
    expect(panel.cb("detail-error").textContent).toBe("<img src=x> needs 3 GB. (out_of_memory)");
    expect(panel.root.querySelector("img")).toBeNull();
    expect(panel.cb("board").dataset.state).toBe("idle");
    await drawn(200);
    expect(questions()).toHaveLength(1);
    // Another state may have room.
    await panel.click(head(9, 6), { shiftKey: true });
    await vi.waitFor(() => expect(questions()).toHaveLength(2));
  });

  it("stays readable when the kernel goes", async () => {
    await mount();
    await panel.click(head(9, 9));
    await shown("9.9", 1);
    panel.kernel.emit("comm:close");
    await drawn();
    expect(panel.all("pattern")).toHaveLength(3);
    expect((panel.cb("detail-by-position") as HTMLButtonElement).disabled).toBe(true);
  });
});

describe("measures", () => {
  it("three patterns stand beside each other where there is room, and shrink where not", () => {
    panel = { unmount: () => undefined } as Mounted;
    expect(pitchOf(1068, 15)).toBe(16);
    expect(pitchOf(828, 15)).toBeLessThan(14);
    expect(pitchOf(456, 15)).toBe(16);
    expect(pitchOf(456, 512)).toBe(2);
  });

  it("tokens with a label are named first, and none stands on another", () => {
    panel = { unmount: () => undefined } as Mounted;
    const labels = [null, null, "S1", null, "IO", null, null];
    expect([...namedTokens(labels, 16, 15)]).toHaveLength(7);
    expect([...namedTokens(labels, 12, 15)].sort()).toEqual([0, 2, 4, 6]);
    expect([...namedTokens(labels, 4, 12)].sort()).toEqual([2, 5]);
  });
});
