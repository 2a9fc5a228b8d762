// Each command, and what each says when something is missing, against a stand-in for VS Code's API.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, it } from "vitest";
import type { ExtensionContext } from "vscode";
import manifest from "../package.json";
import { expression } from "../src/bridge/expression";
import { activate } from "../src/extension";
import { kernelWith, questionOf, raised } from "./kernels";
import * as vscode from "./vscode";
import { openNotebook, run, StubKernel, world } from "./vscode";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "../../..");

beforeEach(() => {
  vscode.reset();
  activate({
    subscriptions: [],
    extensionUri: new vscode.Uri("/extension"),
  } as unknown as ExtensionContext);
});

function withKernel(kernel: StubKernel, cells = 2): vscode.Notebook {
  const notebook = openNotebook("/notebooks/a.ipynb", cells);
  world.kernels.set(notebook.uri.toString(), kernel);
  return notebook;
}

const NEEDS_NOTEBOOK = [
  "circuitboard.open",
  "circuitboard.newFromSelection",
  "circuitboard.openBeside",
];

describe("what is missing is said, with a button that mends it", () => {
  it.each([...NEEDS_NOTEBOOK, "circuitboard.openExample"])("%s: Jupyter", async (command) => {
    openNotebook();
    world.extensions.delete("ms-toolsai.jupyter");
    world.press.add("Install Jupyter");
    await run(command);
    expect(world.messages[0]?.text).toContain("Jupyter extension");
    expect(world.executed).toEqual([
      { command: "workbench.extensions.installExtension", given: ["ms-toolsai.jupyter"] },
    ]);
  });

  it.each(NEEDS_NOTEBOOK)("%s: a notebook", async (command) => {
    await run(command);
    expect(world.messages[0]?.text).toContain("none is open");
    expect(world.messages[0]?.buttons).toEqual(["Open Example Notebook"]);
  });

  it.each(NEEDS_NOTEBOOK)("%s: Python, when there is no kernel", async (command) => {
    openNotebook();
    world.selection = "pair";
    world.extensions.delete("ms-python.python");
    world.press.add("Install Python");
    await run(command);
    expect(world.messages[0]?.text).toContain("Python extension");
    expect(world.executed[0]?.given).toEqual(["ms-python.python"]);
  });

  it("a kernel, for the panel beside", async () => {
    openNotebook();
    world.press.add("Select Kernel");
    await run("circuitboard.openBeside");
    expect(world.messages[0]?.text).toContain("No kernel is started");
    expect(world.executed).toEqual([{ command: "notebook.selectKernel", given: [] }]);
    expect(world.panels).toEqual([]);
  });

  it.each(NEEDS_NOTEBOOK)("%s: a Python kernel", async (command) => {
    const kernel = kernelWith({});
    kernel.language = "R";
    withKernel(kernel);
    world.selection = "pair";
    await run(command);
    expect(world.messages[0]?.text).toContain("this notebook's kernel runs R");
    expect(kernel.codes).toEqual([]);
  });

  it.each(NEEDS_NOTEBOOK)("%s: the package", async (command) => {
    const notebook = withKernel(kernelWith({ installed: false }));
    world.selection = "pair";
    world.press.add("Install circuitboard");
    await run(command);
    expect(world.messages[0]?.text).toContain("circuitboard is not installed");
    expect(notebook.cells.at(-1)?.value).toBe("%pip install circuitboard");
    expect(notebook.cells.at(-1)?.executionSummary.success).toBe(true);
  });

  it.each(NEEDS_NOTEBOOK)("%s: the permission to use the kernel", async (command) => {
    const kernel = new StubKernel(() => {
      throw new Error("Access to Jupyter Kernel has been revoked");
    });
    withKernel(kernel);
    world.selection = "pair";
    world.press.add("Manage Access");
    await run(command);
    expect(world.messages[0]?.text).toContain("has been revoked.");
    expect(world.executed[0]?.command).toBe("jupyter.manageAccessToKernels");
  });

  it("the package, found out only by the new cell's own error", async () => {
    const notebook = openNotebook();
    world.runCell = (cell) => {
      cell.outputs = [{ items: raised("ModuleNotFoundError", "No module named 'circuitboard'") }];
      cell.executionSummary = { success: false };
    };
    world.press.add("Install circuitboard");
    await run("circuitboard.open");
    expect(world.messages[0]?.text).toContain("circuitboard is not installed");
    expect(notebook.cells.map(({ value }) => value)).toContain("%pip install circuitboard");
  });

  it("an error of another kind in the new cell stays the cell's", async () => {
    openNotebook();
    world.runCell = (cell) => {
      cell.outputs = [{ items: raised("ValueError", "circuitboard") }];
      cell.executionSummary = { success: false };
    };
    await run("circuitboard.open");
    expect(world.messages).toEqual([]);
  });
});

describe("Open board for this notebook", () => {
  it("adds and runs a first board below the selected cell", async () => {
    const notebook = withKernel(kernelWith({}));
    world.selectedCell = 0;
    await run("circuitboard.open");
    expect(notebook.cells[1]?.value).toBe(
      'import circuitboard as cb\n\nmodel = cb.load("demo")\n' +
        "board = cb.Board(model, cb.tasks.ioi(16, seed=0, model=model))\nboard",
    );
    expect(notebook.cells.map(({ executionSummary }) => executionSummary.success)).toEqual([
      undefined,
      true,
      undefined,
    ]);
    expect(world.messages).toEqual([]);
  });

  it("shows the kernel's own board where there is one", async () => {
    const notebook = withKernel(kernelWith({ board: true }), 1);
    await run("circuitboard.open");
    expect(notebook.cells[1]?.value).toBe(
      "import circuitboard.widget\n\ncircuitboard.widget.show_current()",
    );
  });

  it("starts a kernel by the cell itself where none is started", async () => {
    const notebook = openNotebook();
    await run("circuitboard.open");
    expect(notebook.cells[0]?.value).toContain("cb.Board(");
    expect(world.messages).toEqual([]);
  });

  it("takes the notebook whose toolbar was used", async () => {
    const other = openNotebook("/notebooks/other.ipynb");
    openNotebook("/notebooks/in-front.ipynb");
    await run("circuitboard.open", { notebookEditor: { notebookUri: other.uri } });
    expect(other.cells).toHaveLength(1);
  });

  it("uses the settings: model, metric and base in the cell, the rest by a request", async () => {
    const asked: Record<string, unknown>[] = [];
    const notebook = withKernel(
      kernelWith({}, (ask) => {
        asked.push(ask);
        return { process: "p", state: "open", line: "l", messages: [] };
      }),
    );
    const mine = { model: "smollm2-135m", metric: "prob", base: "corrupted" };
    world.settings = { ...mine, mode: "patch", liveMap: false, colourMap: "purple-green" };
    await run("circuitboard.open");
    expect(notebook.cells.at(-1)?.value).toContain('cb.load("smollm2-135m")');
    expect(notebook.cells.at(-1)?.value).toContain(', metric="prob", base="corrupted")');
    expect(asked.map(({ what }) => what)).toEqual(["attach", "exchange", "detach"]);
    expect(asked[1]?.requests).toEqual([
      { kind: "set_view", id: "vscode-look", live: false, colours: "purple-green" },
      { kind: "set_view", id: "vscode-mode", mode: "patch" },
    ]);
  });

  it("tells why a setting was refused", async () => {
    withKernel(
      kernelWith({}, ({ what }) => {
        const content = { kind: "failed", id: "vscode-mode", error: { message: "No base." } };
        const messages = what === "exchange" ? [{ number: 1, content, buffers: [] }] : [];
        return { process: "p", state: "open", line: "l", messages };
      }),
    );
    world.settings = { mode: "patch" };
    await run("circuitboard.open");
    expect(world.messages).toEqual([
      { level: "warning", text: "Circuitboard's settings: No base.", buttons: [] },
    ]);
  });

  it("says so when the notebook takes no cell", async () => {
    withKernel(kernelWith({}));
    world.refuseEdits = true;
    await run("circuitboard.open");
    expect(world.messages[0]?.text).toContain("took no new cell");
  });
});

describe("New board from selection", () => {
  it("takes a name as the variable", async () => {
    const notebook = withKernel(kernelWith({}));
    world.selection = " pair ";
    await run("circuitboard.newFromSelection");
    expect(notebook.cells.at(-1)?.value).toContain("board = cb.Board(model, pair)");
    expect(world.asked).toEqual([]);
  });

  it("asks for what a prompt alone does not say", async () => {
    const notebook = withKernel(kernelWith({}));
    world.selection = '"John gave the book to"';
    world.inputs = ["Mary gave the book to", " Mary", " John"];
    await run("circuitboard.newFromSelection");
    expect(world.asked.map(({ value }) => value)).toEqual(["John gave the book to", " ", " "]);
    const code = notebook.cells.at(-1)?.value ?? "";
    expect(code).toContain('    clean="John gave the book to",\n');
    expect(code).toContain('    corrupted="Mary gave the book to",\n');
    expect(code).toContain('    answer=" Mary",\n    wrong=" John",\n');
  });

  it("leaves out the second prompt and, for a metric that needs none, the wrong token", async () => {
    const notebook = withKernel(kernelWith({}));
    world.selection = "One two three";
    world.settings = { metric: "prob" };
    world.inputs = ["", " four", " "];
    await run("circuitboard.newFromSelection");
    const code = notebook.cells.at(-1)?.value ?? "";
    expect(code).not.toContain("corrupted");
    expect(code).not.toContain("wrong");
    expect(code).toContain('metric="prob"');
  });

  it.each([
    [["x", " "], "Name the token that should come next."],
    [["x", " four", " "], "A logit difference needs a second token."],
  ])("refuses a token that is none: %j", async (inputs, reason) => {
    const notebook = withKernel(kernelWith({}), 0);
    world.selection = "One two three";
    world.inputs = inputs;
    await run("circuitboard.newFromSelection");
    expect(world.asked.at(-1)?.refused).toBe(reason);
    expect(notebook.cells).toEqual([]);
  });

  it("without a selection says what to select", async () => {
    withKernel(kernelWith({}));
    await run("circuitboard.newFromSelection");
    expect(world.messages[0]?.text).toContain("Select a prompt");
  });
});

describe("Open example notebook", () => {
  it("opens a copy of the shipped example without outputs", async () => {
    const file = readFileSync(join(ROOT, "examples/01_first_click.ipynb"));
    world.files.set("/extension/media/example.ipynb", new Uint8Array(file));
    await run("circuitboard.openExample");
    expect(world.shown).toHaveLength(1);
    expect(world.shown[0]?.cells[1]?.value).toContain("import circuitboard as cb");
    expect(world.shown[0]?.cells.every(({ outputs }) => outputs.length === 0)).toBe(true);
  });
});

describe("Show keyboard map", () => {
  it("shows the extension's page of keys", async () => {
    await run("circuitboard.showKeys");
    expect(world.executed[0]).toEqual({
      command: "markdown.showPreview",
      given: [new vscode.Uri("/extension/media/keys.md")],
    });
  });
});

describe("the manifest", () => {
  const contributed = manifest.contributes.commands.map(({ command }) => command);

  it("names exactly the commands that are registered", () => {
    expect(vscode.commandNames()).toEqual(contributed);
  });

  it("gives each setting the default that the code has", async () => {
    const { DEFAULTS } = await import("../src/settings");
    const given = Object.entries(manifest.contributes.configuration.properties);
    const defaults = given.map(([name, { default: value }]) => [name.split(".")[1], value]);
    expect(Object.fromEntries(defaults)).toEqual(DEFAULTS);
  });

  it("starts the extension for its own commands and panels only", () => {
    expect(manifest.activationEvents).toEqual(["onWebviewPanel:circuitboard.beside"]);
  });

  it("names every picture and page that there is, and nothing else", () => {
    const folder = join(ROOT, "extension/vscode");
    const named = manifest.contributes.walkthroughs
      .flatMap(({ steps }) => steps)
      .map(({ media }) => ("svg" in media ? media.svg : media.markdown) ?? "");
    const there = readdirSync(join(folder, "media"), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.(svg|md)$/.test(name))
      .map((name) => `media/${name}`);
    expect([...new Set(named)].sort()).toEqual(there.sort());
    for (const name of there) {
      const text = readFileSync(join(folder, name), "utf8");
      expect(text).toMatch(name.endsWith(".svg") ? /^<svg[\s\S]*<\/svg>\s*$/ : /\w{3}/);
    }
    const icon = readFileSync(join(folder, manifest.icon));
    expect(icon.subarray(1, 4).toString()).toBe("PNG");
    expect([icon.readUInt32BE(16), icon.readUInt32BE(20)]).toEqual([256, 256]);
  });
});

it("a question is one expression that Python reads as it was meant", () => {
  const hostile = `"\\\n'''\u2028\u0000${"é".repeat(3)}`;
  const code = expression({ what: "exchange", requests: [{ id: hostile }] });
  expect(code).not.toContain("\n");
  expect(questionOf(code).requests).toEqual([{ id: hostile }]);
});
