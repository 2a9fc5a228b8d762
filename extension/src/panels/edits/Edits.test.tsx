// The list of edits, in the panel, as the real session has it: strengths and order.

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { drawn, until } from "../../../dev/clock";
import type { Player } from "../../../dev/player";
import { recorded } from "../../../dev/recorded";
import type { AnyRequest } from "../../protocol/generated";
import widget from "../../widget";

let close: () => void = () => undefined;
let root: HTMLElement;
let kernel: Player;

const all = (name: string): HTMLElement[] => [
  ...root.querySelectorAll<HTMLElement>(`[data-cb="${name}"]`),
];
const sites = (): (string | undefined)[] => all("edit").map((edit) => edit.dataset.site);
const without = (requests: readonly AnyRequest[]): object[] =>
  requests.map(({ id: _, ...body }) => body);
async function press(element: HTMLElement, key: string): Promise<void> {
  element.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  await drawn();
}
async function type(field: HTMLInputElement, text: string): Promise<void> {
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  await drawn();
}
const field = (): HTMLInputElement => all("edit-strength")[0] as HTMLInputElement;

/** As wide as the stream of the model. */
const VECTOR = Array.from({ length: 21 }, (_, i) => i / 10);

beforeEach(async () => {
  kernel = recorded("pair");
  root = document.createElement("div");
  document.body.append(root);
  const unmount = widget.render({ model: kernel as never, el: root });
  close = () => {
    unmount();
    root.remove();
  };
  await drawn();
  kernel.send({
    kind: "apply",
    id: "elsewhere",
    edits: [
      { site: "9.6", how: "scale", strength: 0.5 },
      { site: "resid_pre 5 @ 14", how: "add", strength: 2, values: VECTOR },
      { site: "10.7", how: "freeze" },
    ],
  });
  await drawn();
  kernel.received.length = 0;
});
afterEach(() => close());

describe("the list of edits", () => {
  it("says in full what an edit does where its site and name do not", () => {
    expect(all("edit").map((edit) => edit.querySelector(".cb-edit-what")?.textContent)).toEqual([
      "9.6 scale @ all",
      "add resid_pre 5 @ 14 + 2 \u00b7 a tensor [21]",
      "freeze 10.7 @ all",
    ]);
    expect(all("edit-strength")).toHaveLength(2);
    expect(field().value).toBe("0.5");
  });

  it("sets a strength on Enter, once, and shows the kernel's", async () => {
    await type(field(), "0.25");
    await press(field(), "Enter");
    field().dispatchEvent(new FocusEvent("blur"));
    await drawn();
    expect(without(kernel.received)).toEqual([
      { kind: "set_strength", index: 0, revision: 1, strength: 0.25 },
    ]);
    expect(field().value).toBe("0.25");
  });

  it("sets it on leaving the field, and nothing for what is no number or no news", async () => {
    await type(field(), "0.5");
    field().dispatchEvent(new FocusEvent("blur"));
    await type(field(), "");
    field().dispatchEvent(new FocusEvent("blur"));
    await type(field(), "3");
    await press(field(), "Escape");
    await drawn();
    expect(field().value).toBe("0.5");
    field().dispatchEvent(new FocusEvent("blur"));
    expect(kernel.received).toHaveLength(0);
    await type(field(), "-1e-3");
    field().dispatchEvent(new FocusEvent("blur"));
    expect(without(kernel.received)).toMatchObject([{ kind: "set_strength", strength: -0.001 }]);
  });

  it("keeps the keys of the field from the panel", async () => {
    for (const key of ["1", "b", "[", "z", "Delete"]) await press(field(), key);
    expect(kernel.received).toHaveLength(0);
  });

  it("takes a refused strength back", async () => {
    kernel.mute.add("set_strength");
    await type(field(), "7");
    await press(field(), "Enter");
    const error = { code: "bad_strength", message: "No.", where: null };
    kernel.post({ kind: "failed", id: kernel.received[0]?.id, error });
    await until(() => expect(field().value).toBe("0.5"));
    expect(root.querySelector('[data-cb="banner"]')?.textContent).toContain(
      "The strength was not changed.",
    );
  });

  it("moves edits, and the focus with them", async () => {
    (all("arrange")[0] as HTMLElement).click();
    await drawn();
    expect((all("edit-up")[0] as HTMLButtonElement).disabled).toBe(true);
    expect((all("edit-down")[2] as HTMLButtonElement).disabled).toBe(true);
    (all("edit-up")[2] as HTMLElement).click();
    await drawn();
    expect(sites()).toEqual(["9.6", "10.7", "resid_pre 5"]);
    expect(document.activeElement).toBe(all("edit-up")[1]);
    (all("edit-up")[1] as HTMLElement).click();
    await drawn();
    expect(sites()).toEqual(["10.7", "9.6", "resid_pre 5"]);
    (all("edit-down")[0] as HTMLElement).click();
    await drawn();
    expect(sites()).toEqual(["9.6", "10.7", "resid_pre 5"]);
    expect(without(kernel.received)).toEqual([
      { kind: "move", index: 2, to: 1, revision: 1 },
      { kind: "move", index: 1, to: 0, revision: 2 },
      { kind: "move", index: 0, to: 1, revision: 3 },
    ]);
  });

  it("has no order to change where there is one edit", async () => {
    kernel.send({ kind: "clear", id: "elsewhere" });
    kernel.send({ kind: "click", id: "elsewhere", site: "9.9" });
    await drawn();
    expect(all("edit")).toHaveLength(1);
    expect(all("edit-up")).toHaveLength(0);
  });
});
