// The panel in a DOM, on recordings: the hooks that others rely on, clicks, keys, states.

import { render } from "preact";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { unfinished, withEffects } from "../../../dev/altered";
import { drawn, until } from "../../../dev/clock";
import { AS_RECORDED } from "../../../dev/player";
import { type BoardName, recorded } from "../../../dev/recorded";
import type { AnyRequest } from "../../protocol/generated";
import widget from "../../widget";
import type { Otherwise } from "./mounted";

let unmount: () => void = () => undefined;
let root: HTMLElement;

async function mount(
  board: BoardName = "pair",
  { mute = [], alter = AS_RECORDED }: Otherwise = {},
) {
  const kernel = recorded(board, mute);
  kernel.alter = alter;
  root = document.createElement("div");
  document.body.append(root);
  unmount = widget.render({ model: kernel as never, el: root });
  await drawn();
  kernel.received.length = 0;
  return kernel;
}

function $(selector: string): HTMLElement {
  const found = root.querySelector<HTMLElement>(selector);
  if (found === null) throw new Error(`nothing matches ${selector}`);
  return found;
}
const cb = (name: string): HTMLElement => $(`[data-cb="${name}"]`);
const head = (layer: number, h: number): HTMLElement =>
  $(`[data-cb="head"][data-layer="${layer}"][data-head="${h}"]`);
const cell = (layer: number, pos: number): HTMLElement =>
  $(`[data-cb="cell"][data-site="resid_pre"][data-layer="${layer}"][data-pos="${pos}"]`);
const token = (pos: number): HTMLElement => $(`[data-cb="token"][data-pos="${pos}"]`);
const all = (name: string): HTMLElement[] => [
  ...root.querySelectorAll<HTMLElement>(`[data-cb="${name}"]`),
];

async function press(element: HTMLElement, key: string, more: KeyboardEventInit = {}) {
  element.dispatchEvent(
    new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more }),
  );
  await drawn();
}
async function click(element: HTMLElement, more: MouseEventInit = {}) {
  element.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, ...more }));
  await drawn();
}
/** What a person asked for: the detail region asks by itself, a moment after. */
const deeds = (requests: readonly AnyRequest[]): AnyRequest[] =>
  requests.filter(({ kind }) => kind !== "detail");
const without = (requests: readonly AnyRequest[]): object[] =>
  deeds(requests).map(({ id: _, ...body }) => body);

beforeEach(() => {
  document.body.dataset.jpThemeLight = "true";
});
afterEach(() => {
  unmount();
  root.remove();
});

describe("what is drawn", () => {
  it("carries the hooks of the public contract", async () => {
    await mount("dataset");
    const board = cb("board");
    expect(board.dataset.state).toBe("idle");
    expect(board.dataset.engine).toBe("wavefront");
    expect(board.dataset.lmSuppressShortcuts).toBe("true");
    expect(Number(cb("metric").dataset.value)).toBeCloseTo(3.6, 5);
    expect(cb("metric").textContent).toBe("+3.60");
    expect(cb("metric").getAttribute("aria-live")).toBe("polite");
    expect(Number(cb("baseline-clean").dataset.value)).toBeCloseTo(3.6, 5);
    expect(Number(cb("baseline-corrupted").dataset.value)).toBeCloseTo(-3.1, 5);
    expect(all("head")).toHaveLength(144);
    expect(Number(head(9, 9).dataset.effect)).toBeCloseTo(-1.83, 5);
    expect(head(9, 9).getAttribute("aria-pressed")).toBe("false");
    expect(head(9, 9).getAttribute("aria-label")).toBe(
      "head 9.9: effect \u22121.8 \u00b1 0.07 logits",
    );
    expect(all("token")).toHaveLength(15);
    expect(all("top-token")[0]?.dataset.token).toBe(" Mary");
    expect(Number(all("top-token")[0]?.dataset.prob)).toBeCloseTo(0.684, 5);
    expect(cb("mode").dataset.value).toBe("zero");
    expect(cb("base").querySelector('[aria-checked="true"]')?.textContent).toBe("clean");
    expect(cb("progress").getAttribute("aria-valuenow")).toBe("144");
    for (const name of ["undo", "redo", "clear"]) {
      expect((cb(name) as HTMLButtonElement).disabled).toBe(true);
    }
  });

  it("before the kernel answers is a frame that waits", async () => {
    await mount("pair", { mute: ["hello"] });
    expect(cb("board").dataset.state).toBe("running");
    expect(cb("metric").dataset.value).toBe("nan");
    expect(all("head")).toHaveLength(0);
  });

  it("shows what is not finite in words, never as zero", async () => {
    const kernel = await mount();
    const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    kernel.again(
      "map",
      withEffects((_, h) => odd[h] ?? 1),
    );
    await drawn();
    expect([0, 1, 2].map((h) => head(0, h).dataset.effect)).toEqual(["nan", "inf", "-inf"]);
    expect([0, 1, 2].map((h) => head(0, h).textContent)).toEqual([
      "nan",
      "+\u221e",
      "\u2212\u221e",
    ]);
    expect(root.textContent).not.toContain("NaN");
    expect(head(0, 0).style.backgroundColor).toBe("");
  });

  it("leaves the effect of a cell empty while it is not computed", async () => {
    await mount("pair", { alter: unfinished(1) });
    expect(cb("board").dataset.state).toBe("running");
    expect(head(0, 1).dataset.effect).toBe("");
    expect(head(9, 9).dataset.effect).not.toBe("");
    expect(cb("cancel").textContent).toBe("Cancel");
  });

  it("draws an estimate hatched and without a number until the cell is exact", async () => {
    const kernel = await mount("pair", { alter: unfinished(1, { estimated: true }) });
    const [exact, estimated] = [head(9, 9), head(10, 7)];
    expect(exact.classList.contains("cb-approximate")).toBe(false);
    expect(exact.textContent).not.toBe("");
    expect(estimated.classList.contains("cb-approximate")).toBe(true);
    expect(estimated.classList.contains("cb-stale")).toBe(false);
    expect(estimated.style.backgroundColor).not.toBe("");
    expect(estimated.textContent).toBe("");
    expect(estimated.dataset.effect).toBe("");
    expect(Number(estimated.dataset.estimate)).toBeCloseTo(1.31, 5);
    expect(estimated.getAttribute("aria-label")).toBe(
      "head 10.7: effect about +1.3 logits, approximate",
    );
    await until(() => expect(root.textContent).toContain("143 approximate (AtP) until exact"));
    kernel.again("map", AS_RECORDED);
    await drawn();
    expect(estimated.classList.contains("cb-approximate")).toBe(false);
    expect(Number(estimated.dataset.effect)).toBeCloseTo(1.31, 5);
    expect(estimated.dataset.estimate).toBeUndefined();
  });

  it("shows padding as an empty cell and counts a prompt's own tokens", async () => {
    await mount("padded");
    expect(all("padding")).toHaveLength(0);
    await click(cb("prompt-next"));
    expect(all("padding")).toHaveLength(3);
    expect(all("padding").every((cell) => cell.textContent === "")).toBe(true);
    const [first] = all("token");
    expect(all("token")).toHaveLength(12);
    expect(first?.dataset.pos).toBe("3");
    expect(first?.getAttribute("aria-label")).toMatch(/^position 0: /);
    await click(first as HTMLElement);
    expect(root.textContent).toContain("edits act at 0");
  });

  it("follows the host's theme while it lives", async () => {
    await mount();
    const light = head(9, 9).style.backgroundColor;
    document.body.dataset.jpThemeLight = "false";
    await drawn();
    expect(cb("board").classList.contains("cb-dark")).toBe(true);
    expect(head(9, 9).style.backgroundColor).not.toBe(light);
  });

  it("is taken away without a trace", async () => {
    const kernel = await mount();
    unmount();
    expect(root.childElementCount).toBe(0);
    expect(kernel.listening()).toBe(0);
    unmount = () => render(null, root);
  });
});

describe("clicks", () => {
  it("on a head ask for its edit, and again to take it back", async () => {
    const kernel = await mount();
    await click(head(9, 9));
    expect(without(kernel.received)).toEqual([{ kind: "click", site: "9.9", positions: null }]);
    expect(Number(cb("metric").dataset.value)).toBeCloseTo(1.77, 5);
    expect(head(9, 9).getAttribute("aria-pressed")).toBe("true");
    expect(all("edit")).toHaveLength(1);
    await click(head(9, 9));
    expect(Number(cb("metric").dataset.value)).toBeCloseTo(3.6, 5);
    expect(all("edit")).toHaveLength(0);
  });

  it("show a ring at once, before any answer", async () => {
    await mount("pair", { mute: ["click"] });
    await click(head(9, 6));
    expect(head(9, 6).classList.contains("cb-in-flight")).toBe(true);
    expect(cb("board").dataset.state).toBe("running");
  });

  it("act at the selected positions", async () => {
    const kernel = await mount();
    await click(token(10));
    await click(token(14), { ctrlKey: true });
    await click(head(5, 5));
    expect(without(kernel.received)).toEqual([
      { kind: "set_view", positions: [10] },
      { kind: "set_view", positions: [10, 14] },
      { kind: "click", site: "5.5", positions: [10, 14] },
    ]);
    expect(token(10).getAttribute("aria-pressed")).toBe("true");
    await click(cb("positions-all"));
    expect(kernel.view.positions).toBeNull();
  });

  it("on a residual cell act at its position", async () => {
    const kernel = await mount();
    await click($('[role="tab"][data-value="resid_pre"]'));
    await click(cell(3, 10));
    expect(without(kernel.received)).toEqual([
      { kind: "set_view", map: "resid_pre" },
      { kind: "click", site: "resid_pre 3", positions: [10] },
    ]);
    expect(cell(3, 10).getAttribute("aria-pressed")).toBe("true");
    expect(cell(3, 11).getAttribute("aria-pressed")).toBe("false");
  });

  it("on the list of largest effects are clicks on the map", async () => {
    const kernel = await mount();
    await click(cb("rank"));
    expect(without(kernel.received)).toEqual([{ kind: "click", site: "9.9", positions: null }]);
  });

  it("on the controls send what they say", async () => {
    const kernel = await mount();
    await click(head(9, 9));
    kernel.received.length = 0;
    const { revision } = kernel.snapshot;
    await click(cb("edit-toggle"));
    await click(cb("edit-remove"));
    await click(cb("undo"));
    await click(cb("redo"));
    await click(cb("undo"));
    await click(cb("clear"));
    await click($('[data-cb="mode"] [data-value="patch"]'));
    await click($('[data-cb="base"] [data-value="corrupted"]'));
    await click(cb("verify"));
    expect(without(kernel.received)).toEqual([
      { kind: "toggle", index: 0, revision },
      { kind: "remove", index: 0, revision: revision + 1 },
      { kind: "undo" },
      { kind: "redo" },
      { kind: "undo" },
      { kind: "clear" },
      { kind: "set_view", mode: "patch" },
      { kind: "set_base", base: "corrupted" },
      { kind: "verify" },
    ]);
    expect(cb("verified").dataset.ok).toBe("true");
  });

  it("are refused with the reason where a mode cannot be", async () => {
    await mount("single");
    const patch = $('[data-cb="mode"] [data-value="patch"]') as HTMLButtonElement;
    expect(patch.disabled).toBe(true);
    expect(patch.title).toContain("no second prompt to patch from");
    expect(patch.getAttribute("aria-description")).toBe(patch.title);
    const mean = $('[data-cb="mode"] [data-value="mean"]') as HTMLButtonElement;
    expect(mean.disabled).toBe(true);
    expect(mean.getAttribute("aria-description")).toContain("several different prompts");
    expect(($('[data-cb="base"] [data-value="corrupted"]') as HTMLButtonElement).disabled).toBe(
      true,
    );
  });

  it("on cancel and resume stop the map and go on", async () => {
    const kernel = await mount("pair", { alter: unfinished(60) });
    await click(cb("cancel"));
    kernel.again("map", unfinished(60, { status: "cancelled" }));
    await drawn();
    expect(cb("board").dataset.state).toBe("idle");
    await click(cb("resume"));
    kernel.again("map", AS_RECORDED);
    await drawn();
    expect(without(kernel.received)).toEqual([{ kind: "cancel_map" }, { kind: "resume_map" }]);
    expect(cb("progress").dataset.status).toBe("done");
  });

  it("on the pager turn the prompts", async () => {
    const kernel = await mount("dataset");
    expect(root.textContent).toContain("prompt 1 of 4");
    await click(cb("prompt-next"));
    expect(kernel.view.prompt).toBe(1);
    expect(root.textContent).toContain("prompt 2 of 4");
  });
});

describe("keys", () => {
  it("move inside the map, with one tab stop", async () => {
    await mount();
    head(0, 0).focus();
    await press(head(0, 0), "ArrowDown");
    await press(head(1, 0), "ArrowRight");
    expect(document.activeElement).toBe(head(1, 1));
    await press(head(1, 1), "End");
    expect(document.activeElement).toBe(head(1, 11));
    await press(head(1, 11), "Home", { ctrlKey: true });
    expect(document.activeElement).toBe(head(0, 0));
    await press(head(0, 0), "ArrowUp");
    expect(document.activeElement).toBe(head(0, 0));
    expect(all("head").filter((element) => element.tabIndex === 0)).toHaveLength(1);
  });

  it("remove an edit with Delete", async () => {
    const kernel = await mount();
    await click(head(9, 9));
    await press(head(9, 9), "Delete");
    expect(without(kernel.received).at(-1)).toEqual({ kind: "remove", index: 0, revision: 1 });
    await press(head(0, 0), "Delete");
    expect(deeds(kernel.received)).toHaveLength(2);
  });

  it("undo and redo", async () => {
    const kernel = await mount();
    await click(head(9, 9));
    await press(head(0, 0), "z", { ctrlKey: true });
    await press(head(0, 0), "Z", { ctrlKey: true, shiftKey: true });
    await press(head(0, 0), "Z", { ctrlKey: true, shiftKey: true });
    expect(deeds(kernel.received).map(({ kind }) => kind)).toEqual(["click", "undo", "redo"]);
  });

  it("choose the mode and the base", async () => {
    const kernel = await mount();
    await press(head(0, 0), "4");
    await press(head(0, 0), "1");
    // Refused: there is one prompt.
    await press(head(0, 0), "2");
    await press(head(0, 0), "3");
    await press(head(0, 0), "b");
    await press(head(0, 0), "b");
    expect(without(kernel.received)).toEqual([
      { kind: "set_view", mode: "patch" },
      { kind: "set_view", mode: "zero" },
      { kind: "set_base", base: "corrupted" },
      { kind: "set_base", base: "clean" },
    ]);
  });

  it("select tokens, and clear them with Escape", async () => {
    const kernel = await mount();
    token(3).focus();
    await press(token(3), "ArrowRight");
    expect(document.activeElement).toBe(token(4));
    await press(token(4), "ArrowRight", { shiftKey: true });
    expect(kernel.view.positions).toEqual([4, 5]);
    await press(token(5), "Escape");
    expect(kernel.view.positions).toBeNull();
  });

  it("that are not the panel's are left to the notebook", async () => {
    await mount();
    const seen = vi.fn();
    root.addEventListener("keydown", seen);
    await press(head(0, 0), "s", { ctrlKey: true });
    await press(head(0, 0), "F1");
    expect(seen).toHaveBeenCalledTimes(2);
    await press(head(0, 0), "b");
    await press(head(0, 0), "a");
    await press(head(0, 0), "Enter", { shiftKey: true });
    expect(seen).toHaveBeenCalledTimes(2);
  });
});

describe("tokens", () => {
  it("are selected as a range by dragging", async () => {
    const kernel = await mount();
    const at = (type: string, pos: number, buttons: number): void => {
      token(pos).dispatchEvent(new PointerEvent(type, { bubbles: true, button: 0, buttons }));
    };
    at("pointerdown", 3, 1);
    at("pointerover", 5, 1);
    at("pointerover", 6, 1);
    await drawn();
    expect(token(5).getAttribute("aria-pressed")).toBe("true");
    expect(kernel.received).toHaveLength(0);
    at("pointerup", 6, 0);
    await drawn();
    expect(without(kernel.received)).toEqual([{ kind: "set_view", positions: [3, 4, 5, 6] }]);
  });
});
