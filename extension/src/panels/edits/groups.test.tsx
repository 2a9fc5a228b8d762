// Groups, names, several edits at once and the slider, as the real session has them.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SetStrength } from "../../protocol/generated";
import { drawn, type Mounted, mounted } from "../board/mounted";

let panel: Mounted;

async function type(field: HTMLElement, text: string): Promise<void> {
  (field as HTMLInputElement).value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  await drawn();
}
const sites = (): (string | undefined)[] => panel.all("edit").map(({ dataset }) => dataset.site);
/** Another view makes a group of the first two. */
function group(name: string): void {
  const { revision } = panel.kernel.snapshot;
  panel.kernel.send({ kind: "group", id: "elsewhere", indices: [0, 1], revision, name });
}
const strengths = (): SetStrength[] =>
  panel.kernel.received.filter(
    (request): request is SetStrength => request.kind === "set_strength",
  );

beforeEach(async () => {
  panel = await mounted();
  panel.kernel.send({
    kind: "apply",
    id: "elsewhere",
    edits: [
      { site: "9.9", how: "zero" },
      { site: "5.5", how: "scale", strength: 0.5 },
      { site: "9.6", how: "zero" },
    ],
  });
  await drawn();
  panel.kernel.received.length = 0;
});
afterEach(() => panel.unmount());

describe("a group", () => {
  it("is made of the edits that are marked, under one switch and with one effect", async () => {
    await panel.click(panel.cb("arrange"));
    for (const at of [0, 2]) await panel.click(panel.all("edit-mark")[at] as HTMLElement);
    await type(panel.cb("group-field"), "  name movers ");
    await panel.press(panel.cb("group-field"), "Enter");
    expect(panel.asked()).toContainEqual({
      kind: "group",
      indices: [0, 2],
      revision: 1,
      name: "name movers",
    });
    expect(sites(), "it stands where its first edit acts").toEqual(["9.9", "9.6", "5.5"]);
    const head = panel.cb("edit-group");
    expect(head.dataset.name).toBe("name movers");
    expect(Number(head.dataset.effect)).toBeCloseTo(-1.83 - 1.06, 5);
    await panel.click(panel.cb("group-toggle"));
    expect(panel.asked().at(-1)).toMatchObject({ kind: "toggle", index: [0, 2] });
    expect(panel.cb("group-toggle").getAttribute("aria-checked")).toBe("false");
    await panel.click(panel.cb("group-fold"));
    expect(sites()).toEqual(["5.5"]);
    expect(panel.cb("group-fold").getAttribute("aria-expanded")).toBe("false");
  });

  it("is renamed in its place, taken apart and removed", async () => {
    group("a");
    await drawn();
    await panel.press(panel.cb("group-name"), "F2");
    expect(document.activeElement).toBe(panel.cb("name-field"));
    await type(panel.cb("name-field"), "b");
    await panel.press(panel.cb("name-field"), "Escape");
    expect(panel.cb("edit-group").dataset.name).toBe("a");
    await panel.press(panel.cb("group-name"), "F2");
    await type(panel.cb("name-field"), "b");
    await panel.press(panel.cb("name-field"), "Enter");
    expect(panel.cb("edit-group").dataset.name).toBe("b");
    await panel.click(panel.cb("arrange"));
    await panel.click(panel.cb("ungroup"));
    expect(panel.all("edit-group")).toHaveLength(0);
    expect(panel.all("edit")).toHaveLength(3);
    group("a");
    await panel.click(panel.cb("arrange-done"));
    await panel.click(panel.cb("group-remove"));
    expect(sites()).toEqual(["9.6"]);
  });

  it("is not made without a name or a mark", async () => {
    await panel.click(panel.cb("arrange"));
    expect((panel.cb("group-field") as HTMLInputElement).disabled).toBe(true);
    await panel.click(panel.all("edit-mark")[1] as HTMLElement);
    expect((panel.cb("group") as HTMLButtonElement).disabled).toBe(true);
    await panel.press(panel.cb("group-field"), "Enter");
    expect(panel.asked()).toEqual([]);
    await panel.click(panel.cb("marked-remove"));
    expect(panel.asked()).toMatchObject([{ kind: "remove", index: [1] }]);
  });
});

describe("the name of an edit", () => {
  it("selects it on the map that has it", async () => {
    await panel.click(panel.all("edit-name")[2] as HTMLElement);
    await drawn(50);
    expect(panel.cb("detail").textContent).toContain("9.6");
    panel.kernel.send({ kind: "set_view", id: "elsewhere", map: "resid_pre" });
    await drawn();
    await panel.click(panel.all("edit-name")[0] as HTMLElement);
    expect(panel.asked()).toContainEqual({ kind: "set_view", map: "head" });
  });

  it("can be another, and none", async () => {
    const name = (): HTMLElement => panel.all("edit-name")[0] as HTMLElement;
    await panel.press(name(), "F2");
    await type(panel.cb("name-field"), "the mover");
    await panel.press(panel.cb("name-field"), "Enter");
    expect(name().textContent).toContain("the mover");
    await panel.press(name(), "F2");
    await type(panel.cb("name-field"), "");
    await panel.press(panel.cb("name-field"), "Enter");
    expect(panel.asked().filter((one) => "name" in one)).toMatchObject([
      { which: 0, name: "the mover" },
      { which: 0, name: null },
    ]);
  });

  it("moves its edit with Alt and an arrow, and the focus goes along", async () => {
    const first = panel.all("edit-name")[0] as HTMLElement;
    first.focus();
    await panel.press(first, "ArrowDown", { altKey: true });
    expect(sites()).toEqual(["5.5", "9.9", "9.6"]);
    expect(document.activeElement).toBe(panel.all("edit-name")[1]);
    await panel.press(panel.all("edit-name")[0] as HTMLElement, "ArrowUp", { altKey: true });
    expect(panel.asked()).toEqual([{ kind: "move", index: 0, to: 1, revision: 1 }]);
  });
});

describe("hostile names", () => {
  it("are text, wherever they are drawn", async () => {
    for (const name of ["<img src=x onerror=alert(1)>", "\u202egnp.exe\u0000", '" onclick="x']) {
      group(name);
      const { revision } = panel.kernel.snapshot;
      panel.kernel.send({ kind: "rename", id: "elsewhere", which: 2, revision, name });
      panel.kernel.send({ kind: "note", id: "elsewhere", node: 1, text: name });
      await drawn();
      panel.cb("compare-clean").click();
      await drawn();
      expect(panel.cb("compare-states").dataset.status).toBe("shown");
      expect(panel.root.querySelectorAll("img, [onclick], [onerror]")).toHaveLength(0);
      const said = [...panel.root.querySelectorAll("[aria-label], [title]")].map(
        (element) => `${element.getAttribute("aria-label")}${element.getAttribute("title")}`,
      );
      const text = `${panel.root.textContent}${said.join("")}`;
      expect(text).not.toMatch(/\p{Cf}/u);
      expect(text.includes("\u0000")).toBe(false);
      await panel.click(panel.cb("compare-states-close"));
    }
  });
});

describe("the slider", () => {
  const slider = (): HTMLInputElement => panel.cb("edit-slider") as HTMLInputElement;
  async function slide(to: number, wait = true): Promise<void> {
    slider().value = String(to);
    slider().dispatchEvent(new Event("input", { bubbles: true }));
    if (wait) await drawn();
  }

  it("goes as far as its strength needs", () => {
    const { min, max, value } = slider();
    expect([min, max, value]).toEqual(["0", "2", "0.5"]);
    expect(slider().getAttribute("aria-valuetext")).toBe("times 0.50");
  });

  it("draws each strength as it is dragged, as one step of the history", async () => {
    const nodes = panel.all("history-node").length;
    for (const strength of [0.6, 0.8, 1.2]) {
      await slide(strength);
      expect(Number((panel.cb("edit-strength") as HTMLInputElement).value)).toBe(strength);
      const effect = Number(panel.all("edit")[1]?.dataset.effect);
      expect(effect).toBeCloseTo(-0.23 * (1 - strength), 5);
    }
    slider().dispatchEvent(new Event("change", { bubbles: true }));
    await drawn();
    expect(panel.all("history-node")).toHaveLength(nodes + 1);
    expect(new Set(strengths().map(({ drag }) => drag)).size).toBe(1);
    await slide(0.3);
    slider().dispatchEvent(new Event("change", { bubbles: true }));
    await drawn();
    expect(panel.all("history-node"), "another drag is another step").toHaveLength(nodes + 2);
    await slide(0.7);
    slider().dispatchEvent(new Event("pointerup", { bubbles: true }));
    await drawn();
    await slide(0.3);
    expect(panel.all("history-node"), "also one that ends where it began").toHaveLength(nodes + 4);
  });

  it("asks for one strength at a time, and then for the newest", async () => {
    panel.kernel.mute.add("set_strength");
    for (let step = 0; step <= 300; step += 1) await slide(step / 200, false);
    slider().dispatchEvent(new Event("change", { bubbles: true }));
    await drawn();
    expect(strengths().map(({ strength }) => strength)).toEqual([0]);
    expect(slider().value).toBe("1.5");
    panel.kernel.mute.clear();
    panel.kernel.send(strengths()[0]);
    await drawn(20);
    expect(strengths().map(({ strength }) => strength)).toEqual([0, 0, 1.5]);
    expect((panel.cb("edit-strength") as HTMLInputElement).value).toBe("1.5");
    expect(Number(panel.all("edit")[1]?.dataset.effect)).toBeCloseTo(-0.23 * (1 - 1.5), 5);
  });

  it("stops at a strength that is refused, and goes back", async () => {
    panel.kernel.mute.add("set_strength");
    await slide(0.9);
    await slide(1.1);
    const error = { code: "stale_index", message: "No.", where: null };
    panel.kernel.post({ kind: "failed", id: strengths()[0]?.id, error });
    await drawn(20);
    expect(strengths()).toHaveLength(1);
    expect(slider().value).toBe("0.5");
  });

  it("keeps its keys from the panel, and a held key is one step", async () => {
    const nodes = panel.all("history-node").length;
    await panel.press(slider(), "ArrowRight");
    for (const strength of [0.51, 0.52, 0.53]) {
      await slide(strength);
      slider().dispatchEvent(new Event("change", { bubbles: true }));
    }
    slider().dispatchEvent(new KeyboardEvent("keyup", { key: "ArrowRight", bubbles: true }));
    await drawn();
    expect(panel.all("history-node")).toHaveLength(nodes + 1);
    await panel.press(slider(), "b");
    expect(panel.asked().map((one) => (one as { kind: string }).kind)).not.toContain("set_base");
  });
});
