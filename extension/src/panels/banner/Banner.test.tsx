// What goes wrong, in words, and what can be done about it.
import { afterEach, describe, expect, it, vi } from "vitest";
import { withState } from "../../../dev/altered";
import { type Alter, AS_RECORDED, type Player } from "../../../dev/player";
import { drawn, type Mounted, mounted } from "../board/mounted";

let panel: Mounted;
afterEach(() => panel.unmount());

const head = ({ $ }: Mounted, layer: number, h: number): HTMLElement =>
  $(`[data-cb="head"][data-layer="${layer}"][data-head="${h}"]`);
const modelChanged = (how: string): Alter => withState(() => ({ model_changed: how }));
const lastClick = (kernel: Player): string | undefined =>
  kernel.received.filter(({ kind }) => kind === "click").at(-1)?.id;
/** What a person asked for: the detail region asks by itself, a moment after. */
const deeds = ({ asked }: Mounted): object[] =>
  asked().filter((request) => (request as { kind: string }).kind !== "detail");

describe("trouble", () => {
  it("is said in words and can be dismissed; the board is as it was", async () => {
    panel = await mounted("pair", { mute: ["click"] });
    const { kernel } = panel;
    await panel.click(head(panel, 10, 7));
    const error = { code: "out_of_memory", message: "One cell needs 3.1 GB.", where: "10.7" };
    kernel.post({ kind: "failed", id: lastClick(kernel), error });
    await drawn();
    expect(panel.cb("board").dataset.state).toBe("error");
    expect(panel.cb("banner").textContent).toContain("10.7 was not edited.");
    expect(panel.cb("banner").textContent).toContain("out_of_memory");
    expect(Number(panel.cb("metric").dataset.value)).toBeCloseTo(3.6, 5);
    await panel.click(panel.cb("dismiss"));
    expect(panel.cb("board").dataset.state).toBe("idle");
  });

  it("of the moment can be asked for once more; what was wrong in itself cannot", async () => {
    panel = await mounted("pair", { mute: ["click"] });
    const { kernel } = panel;
    const fail = async (code: string): Promise<void> => {
      await panel.click(head(panel, 10, 7));
      const error = { code, message: "No.", where: null };
      kernel.post({ kind: "failed", id: lastClick(kernel), error });
      await drawn();
    };
    await fail("bad_positions");
    expect(panel.all("again")).toHaveLength(0);
    await panel.click(panel.cb("dismiss"));
    await fail("out_of_memory");
    kernel.received.length = 0;
    await panel.click(panel.cb("again"));
    expect(deeds(panel)).toEqual([{ kind: "click", site: "10.7", positions: null }]);
    expect(panel.all("banner")).toHaveLength(0);
  });

  it("leaves the keys in the board when its button goes with it, whatever is pressed", async () => {
    for (const button of ["dismiss", "again"]) {
      panel = await mounted("pair", { mute: ["click"] });
      const { kernel } = panel;
      await panel.click(head(panel, 10, 7));
      const error = { code: "out_of_memory", message: "No.", where: null };
      kernel.post({ kind: "failed", id: lastClick(kernel), error });
      await drawn();
      panel.cb(button).focus();
      await panel.click(panel.cb(button));
      expect(panel.all("banner")).toHaveLength(0);
      expect(panel.cb("board").contains(document.activeElement)).toBe(true);
      panel.unmount();
    }
    panel = await mounted();
    panel.kernel.again("snapshot", modelChanged("weights were written to"));
    await drawn();
    panel.cb("refresh").focus();
    panel.kernel.alter = AS_RECORDED;
    await panel.click(panel.cb("refresh"));
    expect(panel.all("banner")).toHaveLength(0);
    expect(panel.cb("board").contains(document.activeElement)).toBe(true);
  });

  it("with a model that has changed is said, with one way out; the edits are still there after it", async () => {
    panel = await mounted();
    const { kernel } = panel;
    await panel.click(head(panel, 9, 9));
    kernel.again("snapshot", modelChanged("weights were written to: <b>W_Q</b>"));
    await drawn();
    const banner = panel.cb("banner");
    expect(banner.dataset.code).toBe("model_changed");
    expect(banner.textContent).toContain("Your model has changed: weights were written to");
    expect(banner.textContent).toContain("<b>W_Q</b>");
    expect(banner.querySelectorAll("button")).toHaveLength(1);
    kernel.received.length = 0;
    kernel.alter = AS_RECORDED;
    await panel.click(panel.cb("refresh"));
    expect(deeds(panel)).toEqual([{ kind: "refresh" }]);
    expect(panel.all("banner")).toHaveLength(0);
    expect(panel.cb("edit").textContent).toContain("9.9");
  });

  it("with a step on such a model says the same once, not twice", async () => {
    panel = await mounted("pair", { mute: ["click"] });
    const { kernel } = panel;
    await panel.click(head(panel, 10, 7));
    const error = { code: "model_changed", message: "A hook was added.", where: null };
    kernel.post({ kind: "failed", id: lastClick(kernel), error });
    kernel.again("snapshot", modelChanged("a hook was added to blocks.2.mlp"));
    await drawn();
    expect(panel.all("banner")).toHaveLength(1);
    expect(panel.cb("banner").textContent).not.toContain("A hook was added.");
    kernel.again(
      "snapshot",
      withState(({ revision }) => ({ revision: revision + 1 })),
    );
    await drawn();
    expect(panel.all("banner")).toHaveLength(0);
  });

  it("with the kernel freezes the panel and says what to do; what comes later revives it", async () => {
    panel = await mounted();
    const { kernel } = panel;
    await panel.click(head(panel, 9, 9));
    kernel.emit("comm:close");
    await drawn();
    expect(panel.cb("board").dataset.state).toBe("disconnected");
    expect(panel.cb("banner").textContent).toContain("run this cell again");
    expect((head(panel, 0, 0) as HTMLButtonElement).disabled).toBe(true);
    expect(panel.cb("edit").textContent).toContain("9.9");
    kernel.again("snapshot");
    await drawn();
    expect(panel.cb("board").dataset.state).toBe("idle");
    expect(panel.root.querySelector('[data-cb="banner"]')).toBeNull();
  });

  it("with the kernel offers to run the cell where the host can do that", async () => {
    panel = await mounted();
    const { kernel } = panel;
    kernel.emit("comm:close");
    await drawn();
    expect(panel.all("run-cell")).toHaveLength(0);
    panel.unmount();
    document.body.dataset.circuitboardRunsCells = "true";
    const ran = vi.fn();
    document.body.addEventListener("circuitboard-run-cell", ran, { once: true });
    panel = await mounted();
    const other = panel.kernel;
    other.emit("comm:close");
    await drawn();
    await panel.click(panel.cb("run-cell"));
    expect(ran).toHaveBeenCalledOnce();
    delete document.body.dataset.circuitboardRunsCells;
  });
});
