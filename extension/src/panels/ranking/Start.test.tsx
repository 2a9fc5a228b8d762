// What a board without a selection offers: the first clicks, each with its reason, and the largest effects.
import { afterEach, describe, expect, it } from "vitest";
import { unfinished, withState } from "../../../dev/altered";
import { drawn, type Mounted, mounted } from "../board/mounted";

let panel: Mounted;
afterEach(() => panel.unmount());

async function mount(...on: Parameters<typeof mounted>): Promise<void> {
  panel = await mounted(...on);
}
const firsts = (): string[] =>
  [...panel.root.querySelectorAll<HTMLElement>(".cb-first")].map((row) => row.textContent ?? "");
const asked = (): object[] => panel.asked().filter((body) => !("prompt" in body));

describe("the first clicks", () => {
  it("are the strongest head, the strongest the other way, and where the runs part", async () => {
    await mount();
    expect(firsts()).toEqual([
      "9.9Without it the logit difference falls most: \u22121.83 logits.",
      "10.7Pulls the other way: without it the logit difference rises: +1.31 logits.",
      "S2Here the two runs part. Select this token and the map shows which heads act at it.",
    ]);
  });

  it("do what they say", async () => {
    await mount();
    await panel.click(panel.all("first-click")[2] as HTMLElement);
    await panel.click(panel.all("first-click")[0] as HTMLElement);
    expect(asked()).toEqual([
      { kind: "set_view", positions: [10] },
      { kind: "click", site: "9.9", positions: [10] },
    ]);
    expect(panel.cb("detail").dataset.site).toBe("9.9");
  });

  it("say in the words of the mode what a click does", async () => {
    await mount();
    await panel.click(panel.$('[data-cb="mode"] [data-value="patch"]'));
    expect(firsts()[0]).toContain("With the other run's value the logit difference falls most");
    expect(firsts()[1]).toContain("with the other run's value the logit difference rises");
    expect(panel.cb("detail").textContent).toContain("patch it from the other run");
  });

  it("name another head where the runs do not part, and fewer where fewer matter", async () => {
    await mount("single");
    expect(firsts()[2]).toMatch(/^9\.6Next in size: \u22121\.06 logits\./);
    panel.unmount();
    await mount("pair", { alter: unfinished(0, { status: "done" }) });
    expect(firsts()).toEqual([]);
    expect(panel.cb("detail").textContent).toContain("No cell changes the metric.");
  });

  it("are not offered of a map that is not of this state, nor once something was edited", async () => {
    await mount();
    panel.kernel.again(
      "snapshot",
      withState(() => ({ revision: 1 })),
    );
    await drawn();
    expect(firsts()).toEqual([]);
    panel.unmount();
    await mount();
    await panel.click(panel.cb("rank"));
    await panel.click(panel.cb("detail-close"));
    expect(firsts()).toEqual([]);
    expect(panel.cb("detail").textContent).toContain("Nothing selected");
    expect(panel.all("rank")).toHaveLength(8);
  });
});

describe("the list of largest effects", () => {
  it("says of how many prompts its means are", async () => {
    await mount("dataset");
    expect(panel.$(".cb-ranking h3").textContent).toBe("Largest effects logits, mean of n=4");
  });
});
