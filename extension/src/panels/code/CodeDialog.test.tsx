// Python that the browser does not let the panel copy.
import { afterEach, describe, expect, it, vi } from "vitest";
import { drawn, type Mounted, mounted } from "../board/mounted";

let panel: Mounted;
afterEach(() => panel.unmount());

describe("copying the code", () => {
  it("shows it to be copied by hand where the browser does not let the panel", async () => {
    vi.stubGlobal("navigator", { ...navigator, clipboard: undefined });
    panel = await mounted();
    await panel.click(panel.$('[data-cb="head"][data-layer="9"][data-head="9"]'));
    await panel.click(panel.cb("copy-code"));
    await drawn();
    const area = panel.cb("code").querySelector("textarea");
    expect(area?.value).toContain("cb.head(9, 9).zero()");
    vi.unstubAllGlobals();
  });
});
