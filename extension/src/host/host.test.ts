// Each host as its page looks, and what the panel does there.
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  canRunCell,
  copyLater,
  download,
  forbidsDownloads,
  hostTheme,
  prefersStillness,
  RUN_CELL,
  runCell,
} from ".";
import { sizeOf } from "./raster";

const { body, documentElement: page } = document;

afterEach(() => {
  for (const element of [body, page])
    for (const { name } of [...element.attributes]) element.removeAttribute(name);
  body.replaceChildren();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("the theme", () => {
  const systemIsDark = (dark: boolean): void =>
    void vi.stubGlobal("matchMedia", (query: string) => ({
      matches: dark && query.includes("dark"),
    }));

  it.each([
    [
      "JupyterLab and Notebook 7, light",
      () => body.setAttribute("data-jp-theme-light", "true"),
      "light",
    ],
    [
      "JupyterLab and Notebook 7, dark",
      () => body.setAttribute("data-jp-theme-light", "false"),
      "dark",
    ],
    ["VS Code, light", () => body.classList.add("vscode-light"), "light"],
    ["VS Code, dark", () => body.classList.add("vscode-dark"), "dark"],
    ["VS Code, contrast", () => body.classList.add("vscode-high-contrast"), "dark"],
    [
      "VS Code, light contrast",
      () => body.classList.add("vscode-high-contrast", "vscode-high-contrast-light"),
      "light",
    ],
    ["marimo, light", () => body.classList.add("light", "light-theme"), "light"],
    ["marimo, dark", () => body.classList.add("dark", "dark-theme"), "dark"],
    ["marimo in a frame", () => body.setAttribute("data-theme", "dark"), "dark"],
    ["Colab, dark", () => page.setAttribute("theme", "dark"), "dark"],
    ["Colab, light", () => page.setAttribute("theme", "light"), "light"],
  ] as const)("is that of %s, whatever the system's", (_, dress, theme) => {
    dress();
    for (const dark of [true, false]) {
      systemIsDark(dark);
      expect(hostTheme()).toBe(theme);
    }
  });

  it("is the system's where the host says nothing", () => {
    systemIsDark(true);
    expect(hostTheme()).toBe("dark");
    systemIsDark(false);
    body.dataset.theme = "system";
    expect(hostTheme()).toBe("light");
  });
});

describe("the clipboard", () => {
  it("gets the promise within the click where that is possible", async () => {
    const write = vi.fn(async ([item]: { parts: Record<string, Promise<Blob>> }[]) => {
      await item?.parts["text/plain"];
    });
    vi.stubGlobal(
      "ClipboardItem",
      class {
        constructor(readonly parts: Record<string, Promise<Blob>>) {}
      },
    );
    vi.stubGlobal("navigator", { clipboard: { write } });
    const text = Promise.resolve("a");
    const copied = copyLater(text);
    expect(write).toHaveBeenCalledOnce();
    await expect(copied).resolves.toBeNull();
  });

  it("gets the text where promises are not taken, and keeps what it has when there is none", async () => {
    const writeText = vi.fn(() => Promise.resolve());
    vi.stubGlobal("navigator", { clipboard: { writeText } });
    await expect(copyLater(Promise.resolve("a"))).resolves.toBeNull();
    expect(writeText).toHaveBeenCalledWith("a");
    await expect(copyLater(Promise.resolve(null))).resolves.toBeNull();
    expect(writeText).toHaveBeenCalledOnce();
  });

  it("leaves the text to be copied by hand where it is refused or missing", async () => {
    vi.stubGlobal("navigator", { clipboard: { writeText: () => Promise.reject(new Error()) } });
    await expect(copyLater(Promise.resolve("a"))).resolves.toBe("a");
    vi.stubGlobal("navigator", { clipboard: undefined });
    await expect(copyLater(Promise.resolve("a"))).resolves.toBe("a");
  });
});

describe("a download", () => {
  it("is a click on a link of the page, which is gone afterwards", () => {
    const clicked: [string, string, boolean][] = [];
    body.addEventListener(
      "click",
      (event) => {
        const link = event.target as HTMLAnchorElement;
        clicked.push([link.download, link.href.slice(0, 5), link.isConnected]);
        event.preventDefault();
      },
      { once: true },
    );
    const revoked = vi.spyOn(URL, "revokeObjectURL");
    vi.useFakeTimers();
    expect(download(new Blob(["a"]), "a.svg")).toBe(true);
    expect(clicked).toEqual([["a.svg", "blob:", true]]);
    expect(body.querySelector("a")).toBeNull();
    expect(revoked).not.toHaveBeenCalled();
    vi.runAllTimers();
    expect(revoked).toHaveBeenCalledOnce();
  });

  it("is not tried where the frame is known to forbid it", () => {
    const within = (sandbox: string | null): Window => {
      const frame = document.createElement("iframe");
      if (sandbox !== null) frame.setAttribute("sandbox", sandbox);
      return { frameElement: frame } as unknown as Window;
    };
    expect(forbidsDownloads(within(null))).toBe(false);
    expect(forbidsDownloads(within("allow-scripts"))).toBe(true);
    expect(forbidsDownloads(within("allow-scripts allow-downloads"))).toBe(false);
    expect(forbidsDownloads({ frameElement: null } as unknown as Window)).toBe(false);
    const foreign = Object.defineProperty({}, "frameElement", {
      get: () => {
        throw new DOMException("another site", "SecurityError");
      },
    });
    expect(forbidsDownloads(foreign as Window)).toBe(false);
  });
});

describe("the rest", () => {
  it("keeps still where the reader asks for it", () => {
    vi.stubGlobal("matchMedia", (query: string) => ({ matches: query.includes("reduce") }));
    expect(prefersStillness()).toBe(true);
  });

  it("asks only a host that says that it runs cells", () => {
    const heard: unknown[] = [];
    const panel = document.createElement("div");
    body.append(panel);
    body.addEventListener(RUN_CELL, (event) => heard.push(event.target));
    expect([canRunCell(), runCell(panel)]).toEqual([false, false]);
    body.dataset.circuitboardRunsCells = "true";
    expect([canRunCell(), runCell(panel)]).toEqual([true, true]);
    expect(heard).toEqual([panel]);
  });

  it("reads the size of a drawing, and refuses one without", () => {
    const drawing = '<?xml version="1.0"?><svg xmlns="x" width="430" height="300.5" viewBox="">';
    expect(sizeOf(drawing)).toEqual({ width: 430, height: 300.5 });
    expect(() => sizeOf("<svg>")).toThrow("size");
  });
});
