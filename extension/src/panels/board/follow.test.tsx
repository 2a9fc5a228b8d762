// Which panels are drawn again when something happens: those that show it, and no other.
import { type JSX, options, render } from "preact";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { unfinished, withState } from "../../../dev/altered";
import type { Alter } from "../../../dev/player";
import { recorded } from "../../../dev/recorded";
import type { BoardState } from "../../store/state";
import { createStore } from "../../store/store";
import { following } from "./follow";
import { drawn, type Mounted, mounted, type Otherwise } from "./mounted";

const PANELS = [
  "Banner",
  "Detail",
  "Edits",
  "Footer",
  "Header",
  "History",
  "MapPanel",
  "PerPrompt",
  "Prompts",
  "Start",
  "Tokens",
] as const;

let panel: Mounted;
let drawings: Map<string, number>;
const before = options.vnode;

beforeEach(() => {
  drawings = new Map();
  // A panel's node is made each time it is drawn, and only then.
  options.vnode = (vnode) => {
    if (typeof vnode.type === "function")
      drawings.set(vnode.type.name, (drawings.get(vnode.type.name) ?? 0) + 1);
    before?.(vnode);
  };
});
afterEach(() => {
  if (before === undefined) delete options.vnode;
  else options.vnode = before;
  panel.unmount();
});

async function mount(otherwise: Otherwise = {}): Promise<void> {
  panel = await mounted("dataset", otherwise);
  await drawn(20);
  drawings.clear();
}
const head = (layer: number, h: number): HTMLElement =>
  panel.$(`[data-cb="head"][data-layer="${layer}"][data-head="${h}"]`);
const revised = (revision: number): Alter => withState(() => ({ revision }));
const redrawn = (): string[] => PANELS.filter((name) => drawings.has(name));

describe("what is drawn again", () => {
  it("after a part of a map has arrived is the map and what is told of it", async () => {
    await mount();
    panel.kernel.again("map", unfinished(40));
    await drawn();
    expect(redrawn()).toEqual(["Footer", "MapPanel", "Start"]);
    for (const name of redrawn()) expect(drawings.get(name)).toBe(1);
  });

  it("is no detail while a map fills in", async () => {
    await mount();
    await panel.click(head(9, 9), { shiftKey: true });
    await drawn(150);
    drawings.clear();
    for (const known of [40, 60, 80]) {
      panel.kernel.again("map", unfinished(known));
      await drawn();
    }
    expect(redrawn()).toEqual(["Footer", "MapPanel"]);
  });

  it("under a pointer that passes over the map is no panel at all", async () => {
    await mount();
    for (const h of [1, 2, 3, 4])
      head(5, h).dispatchEvent(new PointerEvent("pointerover", { bubbles: true }));
    await drawn(200);
    expect(redrawn()).toEqual([]);
  });

  it("at a click, before any number, is where the click is marked", async () => {
    await mount({ mute: ["click", "detail"] });
    await panel.click(head(9, 9), { shiftKey: true });
    await drawn(150);
    drawings.clear();
    await panel.click(head(9, 9));
    for (const name of ["Edits", "Header", "History", "PerPrompt", "Prompts", "Tokens"])
      expect(redrawn()).not.toContain(name);
    expect(redrawn()).toContain("MapPanel");
  });

  it("with new numbers is each panel that shows some, once", async () => {
    await mount();
    panel.kernel.again("snapshot", revised(1));
    await drawn();
    for (const name of ["Edits", "Header", "History", "MapPanel", "PerPrompt", "Tokens"])
      expect(drawings.get(name)).toBe(1);
  });

  it("when the prompt is turned is not the list of edits, until its numbers come", async () => {
    await mount({ mute: ["set_view"] });
    await panel.click(panel.cb("prompt-next"));
    for (const name of ["Banner", "Edits", "Tokens"]) expect(redrawn()).not.toContain(name);
    expect(redrawn()).toContain("Prompts");
  });

  it("after an answer that changes nothing is nothing", async () => {
    await mount();
    await panel.kernel.emit("msg:custom", { kind: "done", id: "of another view", revision: 0 }, []);
    await drawn();
    expect(redrawn()).toEqual([]);
  });
});

describe("a panel that follows the store", () => {
  it("leaves no listener when the board is taken away", async () => {
    await mount();
    panel.unmount();
    expect(panel.kernel.listening()).toBe(0);
    panel = await mounted();
  });

  it("that cannot be drawn says so, leaves the others, and is drawn again at the next step", async () => {
    await mount();
    const uncaught: unknown[] = [];
    vi.spyOn(globalThis, "queueMicrotask").mockImplementation((throwing) => {
      try {
        throwing();
      } catch (error) {
        uncaught.push(error);
      }
    });
    const Fragile = following(({ state }: { state: BoardState }): JSX.Element => {
      if (state.snapshot?.revision === 1) throw new Error("a bug");
      return <b>revision {state.snapshot?.revision ?? "none"}</b>;
    });
    const Solid = following(
      ({ state }: { state: BoardState }): JSX.Element => (
        <i>{state.snapshot?.revision ?? "none"}</i>
      ),
    );
    const kernel = recorded("pair");
    const store = createStore(kernel);
    const root = document.createElement("div");
    render(
      <>
        <Fragile store={store} />
        <Solid store={store} />
      </>,
      root,
    );
    const step = async (revision: number): Promise<void> => {
      kernel.again("snapshot", revised(revision));
      await drawn();
    };
    expect(root.textContent).toBe("revision 00");
    await step(1);
    expect(root.querySelector('[data-cb="broken"]')?.textContent).toContain("could not be drawn");
    expect(root.querySelector("i")?.textContent).toBe("1");
    expect(uncaught).toEqual([new Error("a bug")]);
    await step(2);
    expect(root.textContent).toBe("revision 22");
    render(null, root);
    store.close();
  });
});
