// What autosave cannot keep is said, quietly and as text.
import { afterEach, describe, expect, it } from "vitest";
import { withState } from "../../../dev/altered";
import { HOSTILE } from "../../../dev/hostile";
import type { Alter } from "../../../dev/player";
import { drawn, type Mounted, mounted } from "../board/mounted";

let panel: Mounted;
afterEach(() => panel.unmount());

const unkept = (why: string | null): Alter => withState(() => ({ unkept: why }));

describe("a board that is not kept on disk", () => {
  it("says why until it is kept again", async () => {
    panel = await mounted();
    expect(panel.all("unkept")).toHaveLength(0);
    panel.kernel.again("snapshot", unkept("No space left on device."));
    await drawn();
    expect(panel.cb("unkept").textContent).toBe("Not kept on disk: No space left on device.");
    expect(panel.cb("board").dataset.state).toBe("idle");
    panel.kernel.again("snapshot", unkept(null));
    await drawn();
    expect(panel.all("unkept")).toHaveLength(0);
  });

  it("says it as text, whatever it holds", async () => {
    panel = await mounted();
    for (const text of HOSTILE) {
      panel.kernel.again("snapshot", unkept(text));
      await drawn();
      expect(panel.cb("unkept").children).toHaveLength(0);
    }
  });
});

describe("a board that the kernel let go of", () => {
  it("says so, and how to keep the next one", async () => {
    panel = await mounted();
    panel.kernel.emit("comm:close");
    await drawn();
    expect(panel.cb("banner").textContent).toContain("does not have this board any more");
    expect(panel.cb("banner").textContent).toContain("keep the board in a variable");
  });
});
