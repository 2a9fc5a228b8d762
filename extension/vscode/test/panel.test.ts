// The panel beside a notebook, up to the messages that its page gets and gives.

import { beforeEach, describe, expect, it } from "vitest";
import type { ExtensionContext } from "vscode";
import { until } from "../../dev/clock";
import type { Told } from "../../src/protocol/generated";
import { pageOf, policy } from "../src/beside/page";
import { VIEW_TYPE } from "../src/beside/panel";
import { wordsOf } from "../src/beside/words";
import { activate } from "../src/extension";
import { Model } from "../src/webview/model";
import { kernelWith, raised } from "./kernels";
import * as vscode from "./vscode";
import { openNotebook, run, StubPanel, serializers, world } from "./vscode";

beforeEach(() => {
  vscode.reset();
  activate({
    subscriptions: [],
    extensionUri: new vscode.Uri("/extension"),
  } as unknown as ExtensionContext);
});

async function beside(
  tell: Parameters<typeof kernelWith>[1] = () => ({ process: "p", state: "no_board" }),
): Promise<StubPanel> {
  const notebook = openNotebook("/notebooks/my notes.ipynb", 2);
  world.kernels.set(notebook.uri.toString(), kernelWith({}, tell));
  await run("circuitboard.openBeside");
  const [panel] = world.panels;
  if (panel === undefined) throw new Error("no panel");
  return panel;
}

/** The texts and buttons that the page was given. */
function statuses(panel: StubPanel): unknown[] {
  return panel.webview.posted.filter((message) => (message as { kind: string }).kind === "status");
}

it("opens one panel for a notebook and finds it again", async () => {
  const panel = await beside();
  expect(panel.title).toBe("Board: my notes.ipynb");
  await run("circuitboard.openBeside");
  expect(world.panels).toHaveLength(1);
  expect(panel.revealed).toBe(1);
  panel.dispose();
  await run("circuitboard.openBeside");
  expect(world.panels).toHaveLength(2);
});

it("has a page whose policy allows one script of ours, the bundle's blob, and no network", async () => {
  const panel = await beside();
  const { html } = panel.webview;
  const nonce = /nonce-(\w{32})/.exec(html)?.[1] ?? "";
  expect(html).toContain(`content="${policy(nonce)}"`);
  expect(html.match(/<script/g)).toHaveLength(1);
  expect(html).toContain(
    `<script nonce="${nonce}" src="file:///webview/extension/dist/webview.js">`,
  );
  expect(policy(nonce)).not.toMatch(/unsafe|https?:|\*|connect-src/);
  expect(html).not.toMatch(/\son\w+=|style="/);
  expect(pageOf({ nonce: "a", script: "b" })).not.toContain(nonce);
});

it("asks the kernel only once the page is ready, and tells it whose notebook it is", async () => {
  const panel = await beside();
  expect(panel.webview.posted).toEqual([]);
  panel.webview.fromPage({ kind: "ready" });
  await until(() => expect(statuses(panel)).toHaveLength(1));
  expect(panel.webview.posted[0]).toEqual({
    kind: "notebook",
    notebook: "file:///notebooks/my notes.ipynb",
  });
  expect(statuses(panel)[0]).toEqual({
    kind: "status",
    text: "This notebook's kernel has no board yet.",
    action: "Make a Board",
    usable: false,
  });
});

it("its button makes a board", async () => {
  const panel = await beside();
  panel.webview.fromPage({ kind: "ready" });
  await until(() => expect(statuses(panel)).toHaveLength(1));
  panel.webview.fromPage({ kind: "action" });
  await until(() => expect(world.active?.cells).toHaveLength(3));
  expect(world.active?.cells.at(-1)?.value).toContain("cb.Board(");
});

it.each([
  ["No module named 'circuitboard'", "is not installed", "Install circuitboard"],
  ["No module named 'circuitboard.widget.bridge'", "is older than", "Update circuitboard"],
])("says when the package is missing or old: %s", async (message, text, action) => {
  const panel = await beside(() => raised("ModuleNotFoundError", message));
  panel.webview.fromPage({ kind: "ready" });
  await until(() => expect(statuses(panel)).toHaveLength(1));
  expect(statuses(panel)[0]).toMatchObject({ text: expect.stringContaining(text), action });
});

it("saves a file of the page where the user says, and nowhere if the user leaves", async () => {
  const panel = await beside();
  const file = { kind: "save", name: "map.svg", data: btoa("<svg/>") };
  panel.webview.fromPage(file);
  await Promise.resolve();
  expect(world.files.size).toBe(0);
  world.saveTo = new vscode.Uri("/notebooks/map.svg");
  panel.webview.fromPage(file);
  await until(() => expect(world.files.size).toBe(1));
  expect(new TextDecoder().decode(world.files.get("/notebooks/map.svg"))).toBe("<svg/>");
});

it("comes back for its notebook when the window is loaded again", async () => {
  const restored = new StubPanel(VIEW_TYPE, "Board: a.ipynb");
  const serializer = serializers.get(VIEW_TYPE);
  await serializer?.deserializeWebviewPanel(restored, { notebook: "file:///notebooks/a.ipynb" });
  restored.webview.fromPage({ kind: "ready" });
  await until(() => expect(statuses(restored)).toHaveLength(1));
  expect(statuses(restored)[0]).toMatchObject({ action: "Select Kernel", usable: false });
  restored.dispose();
  let closed = false;
  const unknown = new StubPanel(VIEW_TYPE, "Board: b.ipynb");
  unknown.onDidDispose(() => {
    closed = true;
  });
  await serializer?.deserializeWebviewPanel(unknown, undefined);
  expect(closed).toBe(true);
});

describe("what the panel says of its line", () => {
  const words = (state: Parameters<typeof wordsOf>[0]) => wordsOf(state, undefined, () => {});

  it("says nothing while all is well", () => {
    expect(words({ kind: "open", newest: true })).toEqual({ text: "", fix: null, usable: true });
  });

  it("offers a newer board, and runs all cells after a restart", async () => {
    let turned = 0;
    const turn = () => {
      turned += 1;
    };
    await wordsOf({ kind: "open", newest: false }, undefined, turn).fix?.run();
    expect(turned).toBe(1);
    const notebook = openNotebook("/notebooks/a.ipynb", 3);
    const lost = { kind: "lost", status: "restarting" } as const;
    const shown = wordsOf(lost, notebook as unknown as import("vscode").NotebookDocument, turn);
    expect(shown.usable).toBe(false);
    expect(shown.fix?.label).toBe("Run All Cells");
    await shown.fix?.run();
    expect(notebook.cells.every(({ executionSummary }) => executionSummary.success)).toBe(true);
  });
});

describe("a board that was lost with its kernel", () => {
  const state = { kind: "no_board", restarted: true, saved: "a-1.board.json" } as const;

  async function press(told: Partial<Told>): Promise<vscode.Notebook> {
    const notebook = openNotebook("/notebooks/a.ipynb", 1);
    const asked: unknown[] = [];
    const kernel = kernelWith({}, (ask) => {
      asked.push(ask);
      return { process: "p", state: "reload", ...told };
    });
    world.kernels.set(notebook.uri.toString(), kernel);
    const document = notebook as unknown as import("vscode").NotebookDocument;
    const { fix } = wordsOf(state, document, () => {});
    expect(fix?.label).toBe("Load Its Last State");
    await fix?.run();
    expect(asked).toEqual([{ what: "reload", saved: "a-1.board.json" }]);
    return notebook;
  }

  it("is loaded again by a cell that the user can see", async () => {
    const notebook = await press({ possible: true, code: "board = cb.Board.last_saved()" });
    expect(notebook.cells.at(-1)?.value).toBe("board = cb.Board.last_saved()");
    expect(notebook.cells.at(-1)?.executionSummary.success).toBe(true);
  });

  it("says what to run first where it cannot be", async () => {
    const notebook = await press({ possible: false, words: "Make its model.", code: "board = 1" });
    expect(notebook.cells).toHaveLength(1);
    expect(world.messages[0]?.text).toBe("Make its model.\nboard = 1");
  });
});

describe("the model that the bundle is given", () => {
  it("carries messages both ways, buffers as views, and forgets who left", () => {
    const sent: unknown[] = [];
    const heard: unknown[] = [];
    const model = new Model((content) => sent.push(content));
    const listener = (content: unknown, buffers: DataView[]) => {
      heard.push([content, buffers.map((view) => [...new Uint8Array(view.buffer)])]);
    };
    model.on("msg:custom", listener);
    model.send({ kind: "hello", id: "a" });
    model.receive({ number: 1, content: { kind: "done" }, buffers: [btoa("\x00\xff"), ""] });
    expect(sent).toEqual([{ kind: "hello", id: "a" }]);
    expect(heard).toEqual([[{ kind: "done" }, [[0, 255], []]]]);
    model.off("msg:custom", listener);
    model.receive({ number: 2, content: {}, buffers: [] });
    expect(heard).toHaveLength(1);
  });

  it("keeps what is set and says when the board cannot be reached", () => {
    const model = new Model(() => {});
    let closed = 0;
    model.on("comm:close", () => {
      closed += 1;
    });
    model.set("a", 1);
    model.save_changes();
    expect(model.get("a")).toBe(1);
    model.close();
    model.off();
    model.close();
    expect(closed).toBe(1);
  });
});
