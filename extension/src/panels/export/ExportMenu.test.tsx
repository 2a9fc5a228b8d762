// The menu of all that leaves the panel, by mouse, by keys, and where a frame lets nothing through.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { drawn, type Mounted, mounted } from "../board/mounted";

let panel: Mounted;
/** What was handed to the browser: name → text. */
let files: Map<string, Promise<string>>;
let copied: string[];

const items = (): HTMLElement[] => panel.all("export-item");
const item = (id: string): HTMLElement => panel.$(`[data-cb="export-item"][data-value="${id}"]`);
const focused = (): string | undefined => (document.activeElement as HTMLElement).dataset.value;
const said = (): string => panel.cb("export-said").textContent ?? "";
const open = (): Promise<void> => panel.click(panel.cb("export-button"));
async function choose(id: string): Promise<void> {
  await open();
  await panel.click(item(id));
  await drawn(20);
}

beforeEach(async () => {
  const blobs = new Map<string, Blob>();
  files = new Map();
  copied = [];
  vi.spyOn(URL, "createObjectURL").mockImplementation((blob) => {
    const url = `blob:test/${blobs.size}`;
    blobs.set(url, blob as Blob);
    return url;
  });
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (
    this: HTMLAnchorElement,
  ) {
    files.set(this.download, blobs.get(this.href)?.text() ?? Promise.reject(new Error(this.href)));
  });
  vi.stubGlobal("navigator", {
    clipboard: { writeText: (text: string) => Promise.resolve(void copied.push(text)) },
  });
  panel = await mounted("dataset");
});

afterEach(() => {
  panel.unmount();
  vi.unstubAllGlobals();
});

describe("the menu", () => {
  it("opens at the button, moves by arrows, and closes by Escape to where it came from", async () => {
    expect(panel.all("export-menu")).toHaveLength(0);
    panel.cb("export-button").focus();
    await panel.press(panel.cb("export-button"), "ArrowDown");
    expect(panel.cb("export-menu").getAttribute("role")).toBe("menu");
    expect(panel.cb("export-button").getAttribute("aria-expanded")).toBe("true");
    expect(focused()).toBe("step");
    await panel.press(item("step"), "ArrowUp");
    expect(focused()).toBe("keys");
    await panel.press(item("keys"), "ArrowDown");
    await panel.press(item("step"), "ArrowDown");
    expect(focused()).toBe("state");
    await panel.press(item("state"), "End");
    expect(focused()).toBe("keys");
    await panel.press(item("keys"), "Home");
    expect(items().map((found) => found.tabIndex)).toEqual([0, -1, -1, -1, -1, -1, -1, -1]);
    await panel.press(item("step"), "Escape");
    expect(panel.all("export-menu")).toHaveLength(0);
    expect(document.activeElement).toBe(panel.cb("export-button"));
  });

  it("keeps its keys to itself, and closes when something else is pressed", async () => {
    await open();
    await panel.press(item("step"), "z", { ctrlKey: true });
    await panel.press(item("step"), "2");
    expect(panel.asked()).toEqual([]);
    document.body.dispatchEvent(new Event("pointerdown", { bubbles: true }));
    await drawn();
    expect(panel.all("export-menu")).toHaveLength(0);
  });

  it("says why something cannot be done yet", async () => {
    await open();
    expect(item("step").getAttribute("aria-disabled")).toBe("true");
    expect(item("step").title).toContain("Nothing has been done");
    await panel.click(item("step"));
    expect(panel.asked()).toEqual([]);
    panel.kernel.emit("comm:close");
    await drawn();
    for (const id of ["svg", "png", "csv", "html", "save"])
      expect(item(id).getAttribute("aria-disabled"), id).toBe("true");
    expect(item("keys").getAttribute("aria-disabled")).toBeNull();
  });

  it("leads to the keyboard map", async () => {
    await choose("keys");
    expect(panel.root.querySelector("dialog")).not.toBeNull();
  });
});

describe("copying", () => {
  it.each([
    ["state", "board = cb.Board(model, pair)", "whole state"],
    ["csv", "site,value", "CSV"],
  ])("copies the %s and says so", async (id, text, words) => {
    await choose(id);
    expect(copied).toHaveLength(1);
    expect(copied[0]).toContain(text);
    expect(said()).toContain(words);
  });

  it("copies the last step once there is one", async () => {
    await panel.click(panel.$('[data-cb="head"][data-layer="9"][data-head="9"]'));
    await choose("step");
    expect(copied).toHaveLength(1);
    expect(copied[0]).toContain("cb.head(9, 9).zero()");
    expect(said()).toContain("last step");
  });
});

describe("files", () => {
  it.each([
    ["svg", "circuitboard-head.svg", "<svg"],
    ["html", "native-logit_diff.html", "<!doctype html>"],
  ])("hands the %s over under its name", async (id, filename, text) => {
    await choose(id);
    expect(panel.asked()).toEqual([{ kind: "export", what: id }]);
    expect([...files.keys()]).toEqual([filename]);
    await expect(files.get(filename)).resolves.toContain(text);
    expect(said()).toContain(filename);
    await panel.click(panel.cb("export-text"));
    const area = panel.cb("file-text").querySelector("textarea");
    expect(area?.value).toContain(text);
  });

  it("shows the text where the frame lets no file through", async () => {
    const frame = document.createElement("iframe");
    frame.setAttribute("sandbox", "allow-scripts");
    Object.defineProperty(window, "frameElement", { value: frame, configurable: true });
    await choose("svg");
    Reflect.deleteProperty(window, "frameElement");
    expect(files.size).toBe(0);
    expect(panel.cb("file-text").textContent).toContain("circuitboard-head.svg");
    expect(panel.cb("file-text").querySelector("textarea")?.value).toContain("<svg");
  });

  it("shows the drawing where the page lets no picture be drawn", async () => {
    vi.stubGlobal(
      "Image",
      class {
        onerror?: () => void;
        set src(_: string) {
          queueMicrotask(() => this.onerror?.());
        }
      },
    );
    await choose("png");
    expect(files.size).toBe(0);
    expect(panel.cb("file-text").textContent).toContain("does not let the panel draw pictures");
  });

  it("tells of a refusal in the banner", async () => {
    panel.kernel.mute.add("export");
    await choose("html");
    const id = panel.kernel.received.at(-1)?.id;
    panel.kernel.post({
      kind: "failed",
      id,
      error: { code: "no_map", message: "There is no map.", where: null },
    });
    await drawn();
    expect(panel.cb("banner").textContent).toContain("Nothing was exported.");
    expect(said()).toBe("");
  });
});

describe("saving the board", () => {
  const field = (): HTMLInputElement => panel.cb("save-path") as HTMLInputElement;
  async function type(path: string): Promise<void> {
    field().value = path;
    field().dispatchEvent(new Event("input", { bubbles: true }));
    await drawn();
  }
  const submit = async (): Promise<void> => {
    panel.$("form.cb-save").dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
    await drawn(20);
  };

  it("offers a name, writes nothing before it is asked to, and tells where it wrote", async () => {
    await choose("save");
    expect(field().value).toBe("native-logit_diff.board.json");
    expect(panel.asked()).toEqual([]);
    await type("mine.board.json");
    await submit();
    expect(panel.asked()).toEqual([{ kind: "save", path: "mine.board.json", overwrite: false }]);
    expect(panel.all("save-dialog")).toHaveLength(0);
    expect(said()).toContain("/home/me/mine.board.json");
  });

  it("replaces a file only when told to, of the very name that was refused", async () => {
    await choose("save");
    await type("old.board.json");
    await submit();
    expect(panel.cb("save-said").dataset.code).toBe("file_exists");
    expect(panel.all("banner")).toHaveLength(0);
    await type("older.board.json");
    expect(panel.all("save-replace")).toHaveLength(0);
    await type("old.board.json");
    await panel.click(panel.cb("save-replace"));
    await drawn(20);
    expect(panel.asked().at(-1)).toEqual({ kind: "save", path: "old.board.json", overwrite: true });
    expect(said()).toContain("old.board.json");
  });

  it("hands the same file to the browser instead", async () => {
    await choose("save");
    await panel.click(panel.cb("save-download"));
    await drawn(20);
    expect(panel.asked()).toEqual([{ kind: "export", what: "board" }]);
    await expect(files.get("native-logit_diff.board.json")).resolves.toContain("circuitboard");
  });
});
