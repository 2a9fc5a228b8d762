// Notes on the prompts are told by a chip that opens to the list, by keyboard as well, and are text.

import { afterEach, describe, expect, it } from "vitest";
import { withState } from "../../../dev/altered";
import { drawn } from "../../../dev/clock";
import type { Player } from "../../../dev/player";
import { recorded } from "../../../dev/recorded";
import type { PromptNote } from "../../protocol/generated";
import widget from "../../widget";

let unmount: () => void = () => undefined;
let root: HTMLElement;

const one = (name: string): HTMLElement | null => root.querySelector(`[data-cb="${name}"]`);
const all = (name: string): HTMLElement[] => [
  ...root.querySelectorAll<HTMLElement>(`[data-cb="${name}"]`),
];

async function mount(notes: PromptNote[]): Promise<Player> {
  const kernel = recorded("pair");
  kernel.alter = withState(() => ({ notes }));
  root = document.createElement("div");
  document.body.append(root);
  unmount = widget.render({ model: kernel as never, el: root });
  await drawn();
  return kernel;
}

afterEach(() => {
  unmount();
  root.remove();
});

const NOTES: PromptNote[] = [
  { code: "prompt_ends_in_space", text: "The clean prompt ends in a space.", where: "clean" },
  { code: "answer_not_top", text: "<img src=x onerror=alert(1)>\u202e\u0000", where: "answer" },
];

describe("notes on the prompts", () => {
  it("are no chip where there are none", async () => {
    await mount([]);
    expect(one("notes")).toBeNull();
    expect(one("notes-list")).toBeNull();
  });

  it("are a button that says how many, and opens and closes the list", async () => {
    await mount(NOTES);
    const chip = one("notes");
    expect(chip?.tagName).toBe("BUTTON");
    expect(chip?.textContent).toBe("2 notes");
    expect(chip?.getAttribute("aria-expanded")).toBe("false");
    expect(one("notes-list")).toBeNull();
    chip?.click();
    await drawn();
    expect(chip?.getAttribute("aria-expanded")).toBe("true");
    expect(one("notes-list")?.id).toBe(chip?.getAttribute("aria-controls"));
    expect(all("prompt-note").map((note) => note.dataset.code)).toEqual(
      NOTES.map(({ code }) => code),
    );
    expect(all("prompt-note")[0]?.textContent).toContain("ends in a space. (clean)");
    chip?.click();
    await drawn();
    expect(one("notes-list")).toBeNull();
  });

  it("are text, whatever they hold", async () => {
    await mount(NOTES);
    one("notes")?.click();
    await drawn();
    expect(root.querySelectorAll("img, [onerror]")).toHaveLength(0);
    expect(one("notes-list")?.textContent).not.toMatch(/[\u202e\p{Cc}]/u);
    expect(one("notes-list")?.textContent).toContain("<img src=x");
  });

  it("stay open while the board goes on", async () => {
    const kernel = await mount(NOTES);
    one("notes")?.click();
    await drawn();
    kernel.again("snapshot");
    await drawn();
    expect(all("prompt-note")).toHaveLength(2);
  });
});
