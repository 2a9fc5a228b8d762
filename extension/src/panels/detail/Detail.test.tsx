// The detail region: what it asks for, what it draws of each part, and what it says when there is none.

import { afterEach, describe, expect, it } from "vitest";
import { until } from "../../../dev/clock";
import type { Alter } from "../../../dev/player";
import type { PositionEffects } from "../../protocol/generated";
import { drawn, type Mounted, mounted } from "../board/mounted";
import { whatTheRestDid } from "./Effects";
import { pitchOf } from "./pattern/Attention";
import { namedTokens } from "./pattern/Pattern";

let panel: Mounted;
async function mount(...on: Parameters<typeof mounted>): Promise<void> {
  panel = await mounted(...on);
}
afterEach(() => panel.unmount());

const head = (layer: number, h: number): HTMLElement =>
  panel.$(`[data-cb="head"][data-layer="${layer}"][data-head="${h}"]`);
const detail = (): DOMStringMap => panel.cb("detail").dataset;
const shown = (site: string, revision: number): Promise<void> =>
  until(() => {
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
    await mount("pair", { mute: ["detail"] });
    await panel.click(head(9, 9), { shiftKey: true });
    await until(() => expect(questions()).toHaveLength(1));
    panel.kernel.post({ kind: "superseded", id: panel.kernel.received.at(-1)?.id });
    await until(() => expect(questions()).toHaveLength(2));
    expect(detail().status).toBe("loading");
  });
});

/** The second position has what is left of rounding. */
const rounded: Alter = ({ content, buffers }) => {
  const { by_position } = content as { by_position?: PositionEffects | null };
  if (!by_position) return { content, buffers };
  const effects = by_position.effects.map((real, i) => (i === 1 ? { ...real, value: 1e-7 } : real));
  return { content: { ...content, by_position: { ...by_position, effects } } as never, buffers };
};

describe("a head", () => {
  it("has its patterns, their difference and its direct effect", async () => {
    await mount();
    panel.kernel.send({ kind: "click", id: "elsewhere", site: "resid_pre 5", positions: [0] });
    await panel.click(head(9, 9));
    await shown("9.9", 2);
    const run = async (value: string): Promise<void> =>
      panel.click(panel.$(`[data-cb="pattern-run"] [data-value="${value}"]`));
    expect(panel.all("pattern").map(({ dataset }) => dataset.run)).toEqual(["current"]);
    expect(panel.cb("writes").textContent).toContain("Nothing: its output is 0 here now.");
    await run("base");
    expect(panel.cb("pattern").dataset.run).toBe("base");
    const [first] = panel.all("moved-token");
    expect(first?.dataset.token).toBe(" Mary");
    expect(Number(first?.dataset.value)).toBeCloseTo(2.73 / 2, 5);
    await run("difference");
    expect(panel.cb("pattern").dataset.run).toBe("difference");
    expect(panel.cb("reads").textContent).toBe("now minus base");
    const { value, base } = panel.cb("direct").dataset;
    expect([Number(value), Number(base)]).toEqual([0, expect.closeTo(2.73, 5)]);
    expect(panel.cb("pattern").dataset.tokens).toBe("15");
  });

  it("tells each weight in words, by keyboard", async () => {
    await mount();
    // Without its stream, the first token is looked at as much as all others together.
    await panel.click(panel.$('[data-cb="map-choice"] [data-value="resid_pre"]'));
    await panel.click(panel.$('[data-cb="cell"][data-layer="5"][data-pos="0"]'));
    await panel.click(panel.$('[data-cb="map-choice"] [data-value="head"]'));
    await panel.click(head(9, 9), { shiftKey: true });
    await shown("9.9", 1);
    const cell = (): HTMLElement => panel.$('[data-cb="pattern"] [role="gridcell"] button');
    await panel.press(cell(), "Home");
    const readout = panel.cb("pattern-readout");
    expect(readout.dataset).toMatchObject({ dest: "14", src: "0" });
    const weight = 0.4 / 14;
    expect(Number(readout.dataset.base)).toBeCloseTo(weight, 5);
    expect(Number(readout.dataset.current)).toBeCloseTo(1 / (2 - weight), 5);
    expect(cell().getAttribute("aria-label")).toBe(
      "from \u00b7to (END) to <bos>: 0.507 now, 0.029 in the base run, +0.479",
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
    await panel.click(head(9, 6), { shiftKey: true });
    await shown("9.6", 0);
    expect(panel.all("position-effect")).toHaveLength(0);
    panel.kernel.alter = rounded;
    await panel.click(panel.cb("detail-by-position"));
    await shown("9.6", 0);
    expect(panel.asked().at(-1)).toMatchObject({ kind: "detail", by_position: true });
    const effects = panel.all("position-effect");
    expect(effects).toHaveLength(15);
    expect(effects.at(-1)?.dataset.pos).toBe("14");
    expect(Number(effects.at(-1)?.dataset.effect)).toBeCloseTo(-1.06, 5);
    expect(effects.at(-1)?.textContent).toBe("\u22121.06END");
    // What is left of rounding is no effect.
    expect(effects.at(1)?.textContent).toBe("\u2248 0");
    expect(effects.at(1)?.dataset.effect).toBe("1e-7");
  });
});

describe("an MLP at a position", () => {
  async function mlp(): Promise<void> {
    await mount();
    await panel.click(panel.$('[data-cb="map-choice"] [data-value="mlp_out"]'));
    await panel.click(panel.$('[data-cb="cell"][data-layer="3"][data-pos="14"]'), {
      shiftKey: true,
    });
    await shown("mlp_out 3", 0);
  }

  it("is read at that position", async () => {
    await mlp();
    expect(questions()).toEqual([{ kind: "detail", site: "mlp_out 3", position: 14, prompt: 0 }]);
    expect(panel.cb("detail").textContent).toContain("at END");
    expect(panel.all("lens"), "each layer, and the end").toHaveLength(13);
    const lens = panel.all("lens").map(({ dataset }) => [dataset.site, Number(dataset.prob)]);
    expect(lens[2]?.[0]).toBe("resid_pre 2");
    expect(lens.at(-1)?.[1]).toBeCloseTo(0.684, 5);
    expect(panel.all("pattern")).toHaveLength(0);
  });

  it("has neurons that a click edits there, and takes back", async () => {
    await mlp();
    const row = (): HTMLElement => panel.$('[data-cb="neuron"][data-layer="3"][data-index="0"]');
    expect(Number(row().dataset.effect)).toBeCloseTo(-0.47 / 2, 5);
    await panel.click(row());
    expect(panel.asked()).toContainEqual({
      kind: "click",
      site: "neuron 3.0",
      positions: [14],
    });
    await shown("mlp_out 3", 1);
    expect(row().querySelector("button")?.getAttribute("aria-pressed")).toBe("true");
    await panel.click(row());
    expect(panel.all("edit")).toHaveLength(0);
  });
});

describe("what cannot be shown", () => {
  it("is said in words, and the board goes on", async () => {
    await mount("pair", { mute: ["detail"] });
    await panel.click(head(9, 9), { shiftKey: true });
    await until(() => expect(questions()).toHaveLength(1));
    const error = { code: "out_of_memory", message: "<img src=x> needs 3 GB.", where: null };
    panel.kernel.post({ kind: "failed", id: panel.kernel.received.at(-1)?.id, error });
    await until(() => expect(detail().status).toBe("error"));
    expect(panel.cb("detail-error").textContent).toBe("<img src=x> needs 3 GB. (out_of_memory)");
    expect(panel.root.querySelector("img")).toBeNull();
    expect(panel.cb("board").dataset.state).toBe("idle");
    await drawn(200);
    expect(questions()).toHaveLength(1);
    // Another state may have room.
    await panel.click(head(9, 6), { shiftKey: true });
    await until(() => expect(questions()).toHaveLength(2));
  });

  it("stays readable when the kernel goes", async () => {
    await mount();
    await panel.click(head(9, 9));
    await shown("9.9", 1);
    panel.kernel.emit("comm:close");
    await drawn();
    expect(panel.all("pattern")).toHaveLength(1);
    expect((panel.cb("detail-by-position") as HTMLButtonElement).disabled).toBe(true);
  });
});

describe("measures", () => {
  it("a list stands beside the pattern where there is room, and below it where not", () => {
    panel = { unmount: () => undefined } as Mounted;
    expect(pitchOf(560, 15)).toEqual({ pitch: 13, beside: true });
    expect(pitchOf(380, 15)).toEqual({ pitch: 10, beside: true });
    expect(pitchOf(340, 15)).toEqual({ pitch: 13, beside: false });
    expect(pitchOf(456, 512)).toEqual({ pitch: 2, beside: true });
  });

  it("tokens with a label are named first, and none stands on another", () => {
    panel = { unmount: () => undefined } as Mounted;
    const labels = [null, null, "S1", null, "IO", null, null];
    expect([...namedTokens(labels, 16, 15)]).toHaveLength(7);
    expect([...namedTokens(labels, 12, 15)].sort()).toEqual([0, 2, 4, 6]);
    expect([...namedTokens(labels, 4, 12)].sort()).toEqual([2, 5]);
  });
});

describe("the effect", () => {
  it("has its parts, each with its error and unit", async () => {
    await mount("dataset");
    await panel.click(head(9, 9), { shiftKey: true });
    await shown("9.9", 0);
    const parts = panel.all("effect-part");
    expect(parts.map(({ dataset }) => [dataset.part, Number(dataset.value)])).toEqual([
      ["total", expect.closeTo(-1.83, 5)],
      ["direct", expect.closeTo(-2.73, 5)],
      ["later", expect.closeTo(0.9, 5)],
    ]);
    expect(parts[0]?.textContent).toContain("\u22121.83 \u00b1 0.07 logits");
    expect(panel.cb("detail-state").textContent).toBe("not edited");
  });

  it("says whether later parts repaired or amplified it, where that is more than its error", () => {
    const of = (direct: number, later: number | null, stderr: number | null = null) =>
      whatTheRestDid(
        {
          direct: { value: direct, special: null },
          later: later === null ? null : { value: later, special: null },
          later_stderr: stderr === null ? null : { value: stderr, special: null },
        },
        1e-3,
      );
    expect([of(-2, 1.5), of(-2, -0.94), of(2, -0.5, 0.1), of(2, 3)]).toEqual([
      "repaired",
      "amplified",
      "repaired",
      "amplified",
    ]);
    expect([of(-2, 1.5, 0.8), of(-2, 1e-4), of(0, 1), of(1, null), of(Number.NaN, 1)]).toEqual(
      new Array(5).fill(null),
    );
  });

  it("is asked for again where a click would do something else", async () => {
    await mount();
    await panel.click(head(9, 9), { shiftKey: true });
    await shown("9.9", 0);
    await panel.click(panel.$('[data-cb="mode"] [data-value="patch"]'));
    await until(() => expect(questions()).toHaveLength(2));
    expect(panel.cb("detail-edit").textContent).toBe("Patch");
  });

  it("is made and taken back by one button", async () => {
    await mount();
    await panel.click(head(9, 9), { shiftKey: true });
    await shown("9.9", 0);
    await panel.click(panel.cb("detail-edit"));
    await shown("9.9", 1);
    expect(panel.asked()).toContainEqual({ kind: "click", site: "9.9", positions: null });
    expect(panel.cb("detail-state").textContent).toBe("zeroed, all positions");
    expect(panel.cb("detail-edit").textContent).toBe("Restore");
    await panel.click(panel.cb("detail-edit"));
    await shown("9.9", 2);
    expect(panel.all("edit")).toHaveLength(0);
  });
});

describe("circuits", () => {
  it("are read between a row and a token that a press chooses", async () => {
    await mount();
    await panel.click(head(9, 9), { shiftKey: true });
    await shown("9.9", 0);
    await panel.click(panel.cb("detail-circuit"));
    await shown("9.9", 0);
    expect(panel.asked().at(-1)).toMatchObject({ kind: "detail", circuit: true });
    expect(panel.cb("circuit").textContent).toContain("QK: END looks for");
    const cell = (): HTMLElement => panel.$('[data-cb="pattern"] [role="gridcell"] button');
    await panel.press(cell(), "ArrowUp");
    await panel.press(cell(), "Home");
    await panel.press(cell(), "Enter");
    await shown("9.9", 0);
    expect(panel.asked().at(-1)).toMatchObject({ circuit: true, row: 13, source: 0 });
    expect(panel.cb("writes").textContent).toContain("Writes at \u00b7bag (13)");
    await panel.click(panel.cb("detail-circuit"));
    await shown("9.9", 0);
    expect(panel.asked().at(-1)).not.toHaveProperty("circuit");
  });
});

describe("drawing", () => {
  const tool = (value: string): Promise<void> =>
    panel.click(panel.$(`[data-cb="draw-tool"] [data-value="${value}"]`));
  const cell = (): HTMLElement => panel.$('[data-cb="pattern"] [role="gridcell"] button');
  const applied = (): object[] =>
    panel.asked().filter((body) => (body as { kind: string }).kind === "apply");

  async function drawing(): Promise<void> {
    await mount();
    await panel.click(head(9, 9), { shiftKey: true });
    await shown("9.9", 0);
    await tool("zero");
  }

  it("a press is one step, and a second one takes it back", async () => {
    await drawing();
    await panel.press(cell(), "Home");
    await panel.press(cell(), "Enter");
    expect(applied()).toEqual([
      {
        kind: "apply",
        edits: [{ site: "9.9.pattern @ 14 <- 0", how: "zero", renormalize: true }],
      },
    ]);
    await shown("9.9", 1);
    expect(cell().getAttribute("aria-pressed")).toBe("true");
    expect(panel.cb("detail-state").textContent).toBe("1 cell of its pattern zeroed");
    await panel.press(cell(), "Enter");
    await shown("9.9", 2);
    expect(panel.all("edit")).toHaveLength(0);
  });

  it("a drag is one step of many cells, by the rule that is said", async () => {
    await drawing();
    await tool("set");
    const value = panel.cb("draw-value") as HTMLInputElement;
    value.value = "0.25";
    value.dispatchEvent(new Event("input", { bubbles: true }));
    await panel.click(panel.cb("draw-renormalize"));
    expect(panel.cb("draw-rule").textContent).toBe(
      "Click or drag: cells become 0.25; the other cells of the row stay as they are.",
    );
    const grid = panel.$('[data-cb="pattern"] [role="grid"]');
    const at = async (type: string, src: number, dest: number): Promise<void> => {
      const event = new MouseEvent(type, {
        bubbles: true,
        clientX: src * PITCH + 2,
        clientY: dest * PITCH + 2,
      });
      grid.dispatchEvent(event);
      await drawn();
    };
    const PITCH = Number.parseFloat(cell().style.width);
    await at("pointerdown", 2, 13);
    await at("pointermove", 4, 13);
    expect(panel.root.querySelectorAll(".cb-pattern-stroke")).toHaveLength(3);
    await at("pointerup", 4, 13);
    expect(panel.root.querySelectorAll(".cb-pattern-stroke")).toHaveLength(0);
    expect(applied()).toEqual([
      {
        kind: "apply",
        edits: [{ site: "9.9.pattern @ 13 <- 2, 3, 4", how: "set", values: [0.25] }],
      },
    ]);
  });

  it("does nothing without a kernel", async () => {
    await drawing();
    panel.kernel.emit("comm:close");
    await drawn();
    await panel.press(cell(), "Enter");
    expect(applied()).toEqual([]);
  });
});

describe("a ranked list", () => {
  it("says what feeds a part, leads to a component and back", async () => {
    await mount();
    await panel.click(head(9, 9), { shiftKey: true });
    await shown("9.9", 0);
    await panel.click(panel.cb("trace-q"));
    await until(() => expect(panel.cb("trace").dataset.status).toBe("shown"));
    expect(panel.asked()).toContainEqual({ kind: "trace", site: "9.9", part: "q" });
    expect(panel.cb("trace").textContent).toContain("What feeds 9.9.q");
    expect(panel.all("trace-row")).toHaveLength(32);
    expect(panel.cb("trace").textContent).toContain(
      "with smaller estimates (attribution patching) are not listed",
    );
    const row = panel.$('[data-cb="trace-row"][data-site="mlp_out 0"] .cb-link');
    await panel.click(row);
    await shown("mlp_out 0", 0);
    await panel.click(panel.cb("trace-back"));
    expect(panel.all("trace-row")).toHaveLength(32);
    await panel.click(panel.cb("trace-close"));
    expect(panel.all("trace")).toHaveLength(0);
    await shown("9.9", 0);
    expect(panel.all("pattern")).toHaveLength(1);
  });

  it("edits a path by its button or by Shift-click, and is read again", async () => {
    await mount();
    await panel.click(head(10, 7), { shiftKey: true });
    await shown("10.7", 0);
    await panel.click(panel.cb("trace-v"));
    await until(() => expect(panel.cb("trace").dataset.status).toBe("shown"));
    await panel.click(panel.cb("trace-apply"));
    expect(panel.asked()).toContainEqual({
      kind: "apply",
      edits: [{ site: "9.9 -> 10.7.v", how: "zero" }],
    });
    await panel.click(panel.$('[data-cb="trace-row"][data-site="0.0"] .cb-link'), {
      shiftKey: true,
    });
    expect(panel.all("edit")).toHaveLength(2);
    await until(() => {
      const traces = panel.asked().filter((body) => (body as { kind: string }).kind === "trace");
      expect(traces.length).toBeGreaterThan(1);
    });
  });

  it("names who reads a token", async () => {
    await mount();
    await panel.click(panel.$('[data-cb="map-choice"] [data-value="mlp_out"]'));
    await panel.click(panel.$('[data-cb="cell"][data-layer="3"][data-pos="10"]'), {
      shiftKey: true,
    });
    await shown("mlp_out 3", 0);
    await panel.click(panel.cb("trace-readers"));
    await until(() => expect(panel.all("trace-row")).toHaveLength(16));
    expect(panel.cb("trace").textContent).toContain("Who reads S2");
    await panel.click(panel.cb("trace-apply"));
    expect(panel.asked()).toContainEqual({
      kind: "apply",
      edits: [{ site: "0.10.pattern @ 14 <- 10", how: "zero" }],
    });
  });

  it("that cannot be had says why, and another selection closes it", async () => {
    await mount("pair", { mute: ["trace"] });
    await panel.click(head(9, 9), { shiftKey: true });
    await shown("9.9", 0);
    await panel.click(panel.cb("trace-k"));
    const error = { code: "no_trace", message: "<img src=x>", where: null };
    panel.kernel.post({ kind: "failed", id: panel.kernel.received.at(-1)?.id, error });
    await drawn();
    expect(panel.cb("trace-error").textContent).toBe("<img src=x> (no_trace)");
    expect(panel.root.querySelector("img")).toBeNull();
    await panel.click(head(3, 3), { shiftKey: true });
    expect(panel.all("trace")).toHaveLength(0);
  });
});

describe("the table of neurons", () => {
  it("is sorted by the column that is chosen", async () => {
    await mount();
    await panel.click(panel.$('[data-cb="map-choice"] [data-value="mlp_out"]'));
    await panel.click(panel.$('[data-cb="cell"][data-layer="3"][data-pos="14"]'), {
      shiftKey: true,
    });
    await shown("mlp_out 3", 0);
    const indices = (): (string | undefined)[] =>
      panel
        .all("neuron")
        .slice(0, 3)
        .map(({ dataset }) => dataset.index);
    expect(indices()).toEqual(["0", "1", "3"]);
    const column = panel.$('[data-cb="neuron-sort"][data-column="activation"]');
    await panel.click(column);
    await panel.click(column);
    expect(column.closest("th")?.getAttribute("aria-sort")).toBe("ascending");
    expect(indices()).toEqual(["9", "8", "7"]);
  });
});
