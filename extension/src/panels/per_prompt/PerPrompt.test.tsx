// The table by prompt, in the panel.

import { afterEach, describe, expect, it } from "vitest";
import { manyPrompts } from "../../../dev/altered";
import { drawn } from "../../../dev/clock";
import type { Player } from "../../../dev/player";
import { recorded } from "../../../dev/recorded";
import widget from "../../widget";

let close: () => void = () => undefined;
let root: HTMLElement;

const all = (selector: string): HTMLElement[] => [...root.querySelectorAll<HTMLElement>(selector)];
const rows = (): HTMLElement[] => all('[data-cb="prompt-row"]');
const $ = (selector: string): HTMLElement => {
  const [found] = all(selector);
  if (found === undefined) throw new Error(`nothing matches ${selector}`);
  return found;
};

async function mount(prompts: number): Promise<Player> {
  const kernel = recorded(prompts === 1 ? "pair" : "dataset");
  if (prompts > 1) kernel.alter = manyPrompts(prompts);
  root = document.createElement("div");
  document.body.append(root);
  const unmount = widget.render({ model: kernel as never, el: root });
  close = () => {
    unmount();
    root.remove();
  };
  await drawn();
  return kernel;
}
async function click(element: HTMLElement): Promise<void> {
  element.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
  await drawn();
}

afterEach(() => close());

describe("the table by prompt", () => {
  it("is not drawn for a single prompt", async () => {
    await mount(1);
    expect(rows()).toHaveLength(0);
    expect(all(".cb-per-prompt")).toHaveLength(0);
  });

  it("is one line at first, which says how far the prompts were moved", async () => {
    await mount(64);
    const line = $(".cb-per-prompt");
    expect(rows()).toHaveLength(0);
    expect(line.textContent).toContain("logit difference in logits64 prompts, from ");
    await click($('[data-cb="head"][data-layer="9"][data-head="9"]'));
    const values = $('[data-cb="outliers"]').textContent;
    expect(values).toBe("3 outliers");
    expect(line.textContent).toMatch(/64 prompts, change \u2212\d\.\d\d to [\u2212+]\d\.\d\d/);
    const disclosure = $('[data-cb="per-prompt"]');
    expect(disclosure.getAttribute("aria-expanded")).toBe("false");
    await click(disclosure);
    expect(disclosure.getAttribute("aria-expanded")).toBe("true");
    expect(rows()).toHaveLength(8);
    await click(disclosure);
    expect(rows()).toHaveLength(0);
  });

  it("shows who changed most first, and marks who stands out in words and by a glyph", async () => {
    await mount(64);
    await click($('[data-cb="head"][data-layer="9"][data-head="9"]'));
    await click($('[data-cb="per-prompt"]'));
    expect(rows()).toHaveLength(8);
    const changes = rows().map((row) => Math.abs(Number(row.dataset.change)));
    expect(changes).toEqual([...changes].sort((a, b) => b - a));
    const outliers = rows().filter((row) => row.dataset.outlier === "true");
    expect(outliers.map((row) => row.dataset.prompt).sort()).toEqual(["28", "5", "51"]);
    expect(outliers[0]?.textContent).toContain("\u25c6 outlier");
    expect($('[data-cb="outliers"]').textContent).toBe("3 outliers");
    const [first] = rows();
    expect(Number(first?.dataset.value) - Number(first?.dataset.base)).toBeCloseTo(
      Number(first?.dataset.change),
      6,
    );
  });

  it("shows all rows when asked, and few again", async () => {
    await mount(30);
    expect($('[data-cb="prompts-all"]').textContent).toBe("show all 30 rows");
    await click($('[data-cb="prompts-all"]'));
    expect(rows()).toHaveLength(30);
    expect($('[data-cb="prompts-all"]').getAttribute("aria-expanded")).toBe("true");
    await click($('[data-cb="prompts-all"]'));
    expect(rows()).toHaveLength(8);
  });

  it("of ten thousand prompts draws those in sight", async () => {
    await mount(10_000);
    await click($('[data-cb="prompts-all"]'));
    expect(rows().length).toBeLessThan(100);
    expect($(".cb-pp").getAttribute("aria-rowcount")).toBe("10001");
    const box = $(".cb-pp-box");
    box.scrollTop = 5000 * 22;
    box.dispatchEvent(new Event("scroll"));
    await drawn();
    const places = rows().map((row) => Number(row.getAttribute("aria-rowindex")));
    expect(Math.min(...places)).toBeLessThanOrEqual(5002);
    expect(Math.max(...places)).toBeGreaterThan(5010);
    expect(all(".cb-scale-rug").length).toBeLessThan(600);
  });

  it("is sorted by the head of a column, and says how", async () => {
    await mount(12);
    await click($('[data-cb="prompts-all"]'));
    const head = (): HTMLElement => $('[data-cb="prompt-sort"][data-value="prompt"]');
    await click(head());
    expect(rows().map((row) => Number(row.dataset.prompt))).toEqual([...Array(12).keys()]);
    expect(head().closest("th")?.getAttribute("aria-sort")).toBe("ascending");
    await click(head());
    expect(rows()[0]?.dataset.prompt).toBe("11");
    await click($('[data-cb="prompt-sort"][data-value="value"]'));
    const values = rows().map((row) => Number(row.dataset.value));
    expect(values).toEqual([...values].sort((a, b) => b - a));
  });

  it("shows a prompt on one click, and by the keyboard", async () => {
    const kernel = await mount(4);
    await click($('[data-cb="per-prompt"]'));
    await click(rows()[1]?.lastElementChild as HTMLElement);
    expect(kernel.view.prompt).toBe(1);
    expect(rows()[1]?.querySelector("button")?.getAttribute("aria-current")).toBe("true");
    expect(all(".cb-pp-name").filter((name) => name.tabIndex === 0)).toHaveLength(1);
    const name = rows()[1]?.querySelector("button") as HTMLElement;
    name.focus();
    name.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true }));
    expect(document.activeElement).toBe(rows()[2]?.querySelector("button"));
    await click(document.activeElement as HTMLElement);
    expect(kernel.view.prompt).toBe(2);
    expect(kernel.received.filter(({ kind }) => kind === "set_view")).toHaveLength(2);
  });
});
