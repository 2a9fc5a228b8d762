// Two states side by side, on a model whose effects add up, so that every number can be worked out by hand.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { drawn, type Mounted, mounted } from "../board/mounted";
import { editDifference, largestChanges } from "./difference";

let panel: Mounted;
const head = (layer: number, index: number): HTMLElement =>
  panel.$(`[data-cb="head"][data-layer="${layer}"][data-head="${index}"]`);
const node = (id: number): HTMLElement => panel.$(`[data-cb="history-node"][data-node="${id}"]`);
const lastCompare = (): string | undefined =>
  panel.kernel.received.filter(({ kind }) => kind === "compare").at(-1)?.id;
const compares = (): object[] =>
  panel.asked().filter((one) => (one as { kind: string }).kind === "compare");

beforeEach(async () => {
  panel = await mounted("dataset");
  await panel.click(head(9, 9));
  await panel.click(head(9, 6));
  panel.kernel.received.length = 0;
});
afterEach(() => panel.unmount());

describe("two states", () => {
  it("before and after is one click, with both numbers and the difference", async () => {
    expect(panel.cb("compare-clean").textContent).toBe("Compare with clean run");
    panel.cb("compare-clean").focus();
    await panel.click(panel.cb("compare-clean"));
    expect(compares()).toEqual([{ kind: "compare", left: 0, right: 2, prompt: 0 }]);
    expect(panel.cb("compare-states").dataset.status).toBe("shown");
    expect(Number(panel.cb("compare-left-value").dataset.value)).toBeCloseTo(3.6, 5);
    expect(Number(panel.cb("compare-right-value").dataset.value)).toBeCloseTo(0.71, 5);
    expect(Number(panel.cb("compare-change").dataset.value)).toBeCloseTo(-2.89, 5);
    expect(panel.cb("compare-change").textContent).toContain("n=4");
    expect(panel.cb("compare-states").textContent).toContain("+ zero 9.9");
    expect(panel.all("compare-prompt")).toHaveLength(4);
    expect(panel.all("compare-token")[0]?.dataset.token).toBe(" Mary");
    expect(document.activeElement).toBe(panel.cb("compare-left"));
    await panel.press(panel.cb("compare-left"), "Escape");
    expect(panel.all("compare-states")).toHaveLength(0);
    expect(document.activeElement).toBe(panel.cb("compare-clean"));
  });

  it("any state is compared with the current one by Shift-click or Shift-Enter", async () => {
    await panel.click(node(1), { shiftKey: true });
    expect(compares()).toMatchObject([{ left: 1, right: 2 }]);
    expect(panel.asked(), "and the board stays where it is").not.toContainEqual({
      kind: "restore",
      node: 1,
    });
    expect(node(1).className).toContain("cb-node-compared");
    await panel.press(node(0), "Enter", { shiftKey: true });
    expect(compares().at(-1)).toMatchObject({ left: 0, right: 2 });
    await panel.click(panel.cb("compare-swap"));
    expect(Number(panel.cb("compare-change").dataset.value)).toBeCloseTo(2.89, 5);
    const right = panel.cb("compare-right") as HTMLSelectElement;
    right.value = "1";
    right.dispatchEvent(new Event("change", { bubbles: true }));
    await drawn();
    expect(Number(panel.cb("compare-change").dataset.value)).toBeCloseTo(1.06, 5);
  });

  it("computes maps on request, and their difference", async () => {
    await panel.click(panel.cb("compare-clean"));
    expect(panel.cb("compare-states").textContent).toContain("Heads, zero: 144 runs");
    panel.kernel.mute.add("compare");
    await panel.click(panel.cb("compare-maps"));
    expect(compares().at(-1)).toMatchObject({ map: true });
    panel.kernel.mute.clear();
    await panel.click(panel.cb("compare-maps-cancel"));
    expect(compares().at(-1)).not.toHaveProperty("map");
    expect(panel.all("compare-maps-shown")).toHaveLength(0);
    await panel.click(panel.cb("compare-maps"));
    expect(panel.root.querySelectorAll("canvas[role='img']")).toHaveLength(3);
    const small = panel.$(".cb-small-map");
    expect(small.querySelector("canvas")?.getAttribute("aria-label")).toBe(
      "Effect of each head: layer by head, in the left state. Rows are layers 0 to 11, columns are heads 0 to 11.",
    );
    expect(small.querySelector(".cb-small-columns")?.textContent).toBe("head0246810");
    expect(small.querySelector(".cb-small-rows")?.textContent).toMatch(/^layer0/);
    for (const names of panel.root.querySelectorAll(".cb-small-columns, .cb-small-rows"))
      expect(names.getAttribute("aria-hidden"), "they are in the label of the map").toBe("true");
    const changes = panel
      .all("compare-cell")
      .map(({ dataset }) => Math.abs(Number(dataset.change)));
    expect(changes).toHaveLength(5);
    expect(changes).toEqual([...changes].sort((a, b) => b - a));
    panel.kernel.send({ kind: "set_view", id: "elsewhere", mode: "patch" });
    await drawn();
    expect(panel.all("compare-maps-shown"), "maps of another kind are not these").toHaveLength(0);
  });

  it("is read again when a state becomes another, and says what failed", async () => {
    await panel.click(panel.cb("compare-clean"));
    panel.kernel.send({ kind: "note", id: "x", node: 2, text: "both off" });
    await drawn();
    expect(compares()).toHaveLength(2);
    panel.kernel.mute.add("compare");
    await panel.click(panel.cb("compare-swap"));
    const error = { code: "out_of_memory", message: "No room.", where: null };
    panel.kernel.post({ kind: "failed", id: lastCompare(), error });
    await drawn();
    expect(panel.cb("compare-states").dataset.status).toBe("failed");
    expect(panel.cb("compare-states").textContent).toContain("No room.");
    panel.kernel.mute.clear();
    await panel.click(panel.cb("compare-again"));
    expect(panel.cb("compare-states").dataset.status).toBe("shown");
  });

  it("does not fight another view for the kernel", async () => {
    panel.kernel.mute.add("compare");
    await panel.click(panel.cb("compare-clean"));
    panel.kernel.post({ kind: "superseded", id: lastCompare() });
    await drawn();
    expect(compares()).toHaveLength(1);
    expect(panel.cb("compare-states").textContent).toContain("Another view");
  });

  it("stays readable when the kernel is gone, with its actions off", async () => {
    await panel.click(panel.cb("compare-clean"));
    panel.kernel.emit("comm:close");
    await drawn();
    expect(panel.cb("compare-change").textContent).toContain("\u22122.89");
    for (const name of ["compare-maps", "compare-swap", "compare-left", "compare-right"])
      expect((panel.cb(name) as HTMLButtonElement).disabled).toBe(true);
    expect(panel.cb("compare-states-close")).toHaveProperty("disabled", false);
  });

  it("begins only where there are two states", async () => {
    await panel.click(panel.cb("undo"));
    await panel.click(panel.cb("undo"));
    expect((panel.cb("compare-clean") as HTMLButtonElement).disabled).toBe(true);
  });
});

describe("a state", () => {
  it("is named by F2, and its name is what is listed", async () => {
    await panel.press(node(1), "F2");
    const field = panel.cb("name-field") as HTMLInputElement;
    field.value = "one off";
    await panel.press(field, "Enter");
    expect(panel.asked()).toContainEqual({ kind: "note", node: 1, text: "one off" });
    expect(node(1).textContent).toContain("one off");
    expect(node(1).getAttribute("aria-label")).toContain(
      "one off: \u22121.83 logits, after zero 9.9",
    );
    expect(document.activeElement).toBe(node(1));
  });
});

describe("what differs", () => {
  const edit = (what: string, enabled = true) => ({ what, enabled, name: null, group: null });
  it("of the edits are those that one state has more often", () => {
    const found = editDifference(
      [edit("a"), edit("a"), edit("b")],
      [edit("a"), edit("b", false), edit("c")],
    );
    expect(found.both.map(({ what }) => what)).toEqual(["a"]);
    expect(found.left.map(({ what }) => what)).toEqual(["a", "b"]);
    expect(found.right.map(({ what, enabled }) => [what, enabled])).toEqual([
      ["b", false],
      ["c", true],
    ]);
  });

  it("of the maps are the largest finite changes", () => {
    const axes = {
      over: "head" as const,
      layers: [0, 1],
      shape: [2, 2],
      index: null,
      effect: new Float32Array([1, 2, Number.NaN, -4]),
      known: new Uint8Array(4).fill(1),
    };
    const left = new Float32Array([1, 1.5, 0, 0]);
    expect(largestChanges(axes, left, 9).map(({ name, change }) => [name, change])).toEqual([
      ["1.1", -4],
      ["0.1", 0.5],
    ]);
  });
});
