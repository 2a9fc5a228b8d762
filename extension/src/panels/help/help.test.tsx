// Definitions, keys, dialogs, the tour and the cell's menu, in a panel.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { until } from "../../../dev/clock";
import { drawn, type Mounted, mounted } from "../board/mounted";
import { GLOSSARY, isTerm } from "./glossary";
import { KEY_MAP } from "./key_map";

let panel: Mounted;
const head = (layer: number, h: number): HTMLElement =>
  panel.$(`[data-cb="head"][data-layer="${layer}"][data-head="${h}"]`);
const focused = (): Element | null => document.activeElement;

beforeEach(async () => {
  localStorage.setItem("circuitboard.tour", "seen");
  panel = await mounted("dataset");
});
afterEach(() => {
  panel.unmount();
  localStorage.clear();
});

describe("a definition", () => {
  it("has a word for everything that is marked in the panel", () => {
    const marked = [...panel.root.querySelectorAll<HTMLElement>("[data-term]")];
    expect(marked.length).toBeGreaterThan(0);
    for (const { dataset } of marked) expect(isTerm(dataset.term), dataset.term).toBe(true);
  });

  const tip = (): HTMLElement => panel.cb("term-tip");
  const word = (): HTMLElement => panel.$(".cb-term");

  it("opens on a tap, says what the word is, and closes on Escape alone", async () => {
    await panel.click(word());
    expect(tip().dataset.open).toBe("true");
    expect(word().getAttribute("aria-describedby")).toBe(tip().id);
    expect(tip().textContent).toContain(GLOSSARY[word().dataset.term as "metric"].says);
    await panel.click(panel.$('[data-cb="token"]'));
    const { positions } = panel.kernel.view;
    await panel.click(word());
    await panel.press(word(), "Escape");
    expect(tip().dataset.open).toBe("false");
    expect(word().hasAttribute("aria-describedby")).toBe(false);
    expect(panel.kernel.view.positions).toEqual(positions);
  });

  it("opens 300 ms after the pointer has come to rest, and goes with it", async () => {
    const over = (target: Element): void => {
      target.dispatchEvent(
        new PointerEvent("pointerover", { bubbles: true, pointerType: "mouse" }),
      );
    };
    over(word());
    await drawn(100);
    expect(tip().dataset.open).toBe("false");
    await until(() => expect(tip().dataset.open).toBe("true"));
    // The pointer may rest on the definition itself.
    over(tip());
    await drawn(300);
    expect(tip().dataset.open).toBe("true");
    over(head(0, 0));
    await until(() => expect(tip().dataset.open).toBe("false"));
  });
});

describe("keys", () => {
  it("? opens the keyboard map, with the focus inside, and Escape puts it back", async () => {
    head(3, 3).focus();
    await panel.press(head(3, 3), "?");
    const dialog = panel.cb("help");
    expect(dialog.contains(focused())).toBe(true);
    for (const { title } of KEY_MAP) expect(dialog.textContent).toContain(title);
    const inside = [...dialog.querySelectorAll<HTMLElement>("button, [tabindex='0']")];
    inside.at(-1)?.focus();
    await panel.press(inside.at(-1) ?? dialog, "Tab");
    expect(focused()).toBe(inside[0]);
    await panel.press(inside[0] ?? dialog, "Tab", { shiftKey: true });
    expect(focused()).toBe(inside.at(-1));
    await panel.press(dialog, "Escape");
    expect(panel.all("help")).toHaveLength(0);
    expect(focused()).toBe(head(3, 3));
  });

  it("/ finds a component, selects it and puts the focus on it", async () => {
    await panel.press(head(0, 0), "/");
    const field = panel.cb("search-field") as HTMLInputElement;
    expect(focused()).toBe(field);
    const type = async (text: string): Promise<void> => {
      field.value = text;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      await drawn();
      field.form?.requestSubmit();
      await drawn();
    };
    await type("9.16");
    expect(panel.cb("search-says").textContent).toContain("There is no head 9.16");
    await type("9.6");
    expect(panel.all("search")).toHaveLength(0);
    await until(() => expect(focused()).toBe(head(9, 6)));
    expect(head(9, 6).getAttribute("aria-current")).toBe("true");
    expect(panel.all("edit")).toHaveLength(0);
  });

  it("/ goes to another map where that is", async () => {
    await panel.press(head(0, 0), "/");
    const field = panel.cb("search-field") as HTMLInputElement;
    field.value = "resid 5 @ END";
    field.dispatchEvent(new Event("input", { bubbles: true }));
    await drawn();
    field.form?.requestSubmit();
    await until(() =>
      expect((focused() as HTMLElement | null)?.dataset).toMatchObject({
        site: "resid_pre",
        layer: "5",
        pos: "14",
      }),
    );
    expect(panel.asked()).toContainEqual({ kind: "set_view", map: "resid_pre" });
  });

  it("l switches the live map, [ and ] turn the prompts, c copies the last step", async () => {
    await panel.click(head(9, 9));
    panel.kernel.received.length = 0;
    for (const key of ["l", "]", "[", "c"]) await panel.press(head(0, 0), key);
    expect(panel.asked().filter((body) => (body as { kind: string }).kind !== "detail")).toEqual([
      { kind: "set_view", live: false },
      { kind: "set_view", prompt: 1 },
      { kind: "set_view", prompt: 0 },
      { kind: "export", what: "python" },
    ]);
  });

  it("do nothing in a field, nor with Ctrl", async () => {
    panel.kernel.received.length = 0;
    const field = document.createElement("input");
    panel.cb("board").append(field);
    for (const key of ["?", "/", "1", "b", "l", "c"]) await panel.press(field, key);
    for (const key of ["/", "b", "l", "c"]) await panel.press(head(0, 0), key, { ctrlKey: true });
    expect(panel.asked()).toEqual([]);
    expect(panel.all("help")).toHaveLength(0);
    expect(panel.all("search")).toHaveLength(0);
    field.remove();
  });
});

describe("the menu of a cell", () => {
  const open = async (cell: HTMLElement): Promise<void> => {
    cell.focus();
    cell.dispatchEvent(new MouseEvent("contextmenu", { bubbles: true, cancelable: true }));
    await drawn();
  };
  const items = (): HTMLElement[] => [
    ...panel.cb("cell-menu").querySelectorAll<HTMLElement>('[role="menuitem"]'),
  ];
  const item = (text: string): HTMLElement => {
    const found = items().find(({ textContent }) => textContent?.startsWith(text) === true);
    if (found === undefined) throw new Error(`no item ${text}`);
    return found;
  };

  it("edits in another way than a click", async () => {
    await open(head(9, 6));
    expect(focused()).toBe(items()[0]);
    await panel.press(panel.cb("cell-menu"), "ArrowDown");
    expect(focused()).toBe(items()[1]);
    await panel.click(item("Patch 9.6"));
    expect(panel.asked()).toContainEqual(
      expect.objectContaining({
        kind: "apply",
        edits: [expect.objectContaining({ site: "9.6", how: "patch" })],
      }),
    );
    expect(panel.all("cell-menu")).toHaveLength(0);
    await open(head(9, 6));
    await panel.click(item("Remove patch 9.6"));
    expect(panel.all("edit")).toHaveLength(0);
  });

  it("closes on Escape with the focus where it was", async () => {
    await open(head(9, 6));
    await panel.press(panel.cb("cell-menu"), "Escape");
    expect(panel.all("cell-menu")).toHaveLength(0);
    expect(focused()).toBe(head(9, 6));
  });

  it("copies the cell's edit as Python", async () => {
    const write = vi.fn().mockResolvedValue(undefined);
    vi.stubGlobal("navigator", { clipboard: { writeText: write } });
    await open(head(9, 6));
    await panel.click(item("Copy as Python"));
    await until(() => expect(write).toHaveBeenCalledWith("board.edit(cb.head(9, 6).zero())"));
    await until(() => expect(panel.cb("help-says").textContent).toContain("Copied"));
    vi.unstubAllGlobals();
  });
});

describe("the tour", () => {
  it("is not offered twice in one browser", () => {
    expect(panel.all("tour-offer")).toHaveLength(0);
  });

  it("is offered quietly, goes through five steps, and can be left at any", async () => {
    panel.unmount();
    localStorage.clear();
    panel = await mounted();
    const offer = panel.cb("tour-offer");
    await panel.click(offer.querySelector("button") ?? offer);
    expect(panel.all("tour-offer")).toHaveLength(0);
    const tour = (): HTMLElement => panel.cb("tour");
    expect(focused()).toBe(tour());
    expect(tour().getAttribute("aria-label")).toBe("Tour, 1 of 5: Click a head");
    expect(tour().textContent).toContain("9.9");
    await panel.click(head(9, 9));
    expect(tour().textContent).toContain("Done.");
    await panel.click(panel.cb("tour-next"));
    expect(tour().textContent).toContain("+1.77");
    await panel.click(panel.cb("tour-next"));
    await panel.click(panel.cb("undo"));
    expect(tour().textContent).not.toContain("Done.");
    await panel.click(panel.cb("redo"));
    expect(tour().textContent).toContain("Done.");
    await panel.click(panel.cb("tour-back"));
    expect(tour().dataset.step).toBe("2");
    for (let i = 0; i < 3; i += 1) await panel.click(panel.cb("tour-next"));
    expect(tour().dataset.step).toBe("5");
    expect(panel.cb("tour-next").textContent).toBe("Finish");
    await panel.press(tour(), "Escape");
    expect(panel.all("tour")).toHaveLength(0);
    expect(localStorage.getItem("circuitboard.tour")).toBe("seen");
  });

  it("is offered by one board of a page", async () => {
    panel.unmount();
    localStorage.clear();
    panel = await mounted();
    const other = await mounted();
    expect(panel.all("tour-offer")).toHaveLength(1);
    expect(other.all("tour-offer")).toHaveLength(0);
    other.unmount();
  });

  it("is not offered where the browser remembers nothing", async () => {
    panel.unmount();
    vi.stubGlobal("localStorage", {
      getItem: () => {
        throw new Error("denied");
      },
      clear: () => undefined,
      setItem: () => undefined,
    });
    panel = await mounted();
    expect(panel.all("tour-offer")).toHaveLength(0);
    vi.unstubAllGlobals();
  });
});
