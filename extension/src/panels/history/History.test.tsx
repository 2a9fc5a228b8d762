// The history as one meets it: what each step did, which state is shown, and the way to any other.

import { afterEach, describe, expect, it } from "vitest";
import { withState } from "../../../dev/altered";
import { drawn } from "../../../dev/clock";
import { type Mounted, mounted } from "../board/mounted";

let panel: Mounted;
afterEach(() => panel.unmount());

const head = (layer: number, h: number): HTMLElement =>
  panel.$(`[data-cb="head"][data-layer="${layer}"][data-head="${h}"]`);
const node = (id: number): HTMLElement => panel.$(`[data-cb="history-node"][data-node="${id}"]`);
const current = (): (string | undefined)[] =>
  panel
    .all("history-node")
    .filter((element) => element.getAttribute("aria-current") === "true")
    .map((element) => element.dataset.node);

describe("the history", () => {
  it("lists each step with what it did, and marks the state that is shown", async () => {
    panel = await mounted();
    expect(current()).toEqual(["0"]);
    await panel.click(head(9, 9));
    await panel.click(head(9, 6));
    expect(current()).toEqual(["2"]);
    expect(Number(node(1).dataset.change)).toBeCloseTo(-1.83, 5);
    expect(Number(node(2).dataset.value)).toBeCloseTo(3.6 - 1.83 - 1.06, 5);
    expect(node(2).getAttribute("aria-label")).toBe(
      "zero 9.6: \u22121.06 logits, metric 0.71 logits, shown now",
    );
  });

  it("a click restores a state, and a step from there begins a branch", async () => {
    panel = await mounted();
    await panel.click(head(9, 9));
    await panel.click(head(9, 6));
    await panel.click(node(1));
    expect(panel.asked()).toContainEqual({ kind: "restore", node: 1 });
    expect(current()).toEqual(["1"]);
    expect(Number(panel.cb("metric").dataset.value)).toBeCloseTo(1.77, 5);
    await panel.click(head(10, 7));
    expect(panel.all("history-node").map(({ dataset }) => [dataset.node, dataset.depth])).toEqual([
      ["0", "0"],
      ["1", "0"],
      ["2", "1"],
      ["3", "0"],
    ]);
    expect(node(2).getAttribute("aria-label")).toContain("on another branch");
    const asked = panel.kernel.received.length;
    await panel.click(node(3));
    expect(panel.kernel.received.slice(asked).map(({ kind }) => kind)).not.toContain("restore");
  });

  it("is one tab stop; arrows move, and undo and redo move the mark", async () => {
    panel = await mounted();
    await panel.click(head(9, 9));
    await panel.click(head(9, 6));
    expect(panel.all("history-node").filter(({ tabIndex }) => tabIndex === 0)).toEqual([node(2)]);
    node(2).focus();
    await panel.press(node(2), "ArrowUp");
    expect(document.activeElement).toBe(node(1));
    await panel.press(node(1), "Home");
    expect(document.activeElement).toBe(node(0));
    await panel.press(node(0), "z", { ctrlKey: true });
    expect(current()).toEqual(["1"]);
    await panel.press(node(0), "Z", { ctrlKey: true, shiftKey: true });
    expect(current()).toEqual(["2"]);
  });

  it("says of a state whose metric was not kept that it is not known", async () => {
    panel = await mounted();
    await panel.click(head(9, 9));
    await panel.click(head(9, 6));
    panel.kernel.again(
      "snapshot",
      withState(({ history }) => ({
        history: {
          ...history,
          nodes: history.nodes.map((one) => (one.id === 1 ? { ...one, value: null } : one)),
        },
      })),
    );
    await drawn();
    expect(node(1).getAttribute("aria-label")).toBe(
      "zero 9.9, metric not known, Enter restores it",
    );
    expect(node(2).getAttribute("aria-label")).toBe("zero 9.6, metric 0.71 logits, shown now");
    expect(node(1).textContent).toContain("?");
  });

  it("says how many states are not listed", async () => {
    panel = await mounted();
    panel.kernel.again(
      "snapshot",
      withState(({ history }) => ({ history: { ...history, omitted: 12 } })),
    );
    await drawn();
    expect(panel.root.textContent).toContain("12 older states are not listed");
  });
});
