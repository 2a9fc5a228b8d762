// Runs the built extension in Node on the stand-in for VS Code's API, with its kernel and its web view at the
// other end of standard input and output: a line of JSON each way. Whoever starts this brings a real kernel
// and a real browser.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const built = join(dirname(dirname(dirname(here))), "dist/vscode/dist/extension.js");
const require = createRequire(import.meta.url);
const Module = require("node:module");

const stub = await build({
  entryPoints: [join(here, "vscode.ts")],
  bundle: true,
  write: false,
  format: "cjs",
  platform: "node",
});
const vscode = { exports: {} };
new Function("module", "exports", stub.outputFiles[0].text)(vscode, vscode.exports);
const load = Module._load;
Module._load = (name, ...rest) => (name === "vscode" ? vscode.exports : load(name, ...rest));

const { openNotebook, run, StubKernel, Uri, world } = vscode.exports;
const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

const running = new Map();
const kernel = new StubKernel(
  (code) =>
    new Promise((resolve) => {
      const id = running.size;
      running.set(id, resolve);
      say({ execute: id, code });
    }),
);
const notebook = openNotebook("/notebooks/live.ipynb");
world.kernels.set(notebook.uri.toString(), kernel);

require(built).activate({ subscriptions: [], extensionUri: new Uri("/extension") });

const encoder = new TextEncoder();
const orders = {
  async run({ command }) {
    await run(command);
    const panel = world.panels.at(-1);
    if (panel !== undefined) {
      panel.webview.arrived = (message) => say({ post: message });
      say({ html: panel.webview.html });
    }
    say({ messages: world.messages, cells: notebook.cells.map(({ value }) => value) });
  },
  outputs({ id, items }) {
    running.get(id)(
      items.map(({ mime, json }) => ({ mime, data: encoder.encode(JSON.stringify(json)) })),
    );
  },
  page({ message }) {
    world.panels.at(-1)?.webview.fromPage(message);
  },
  status({ status }) {
    kernel.turn(status);
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { order, ...given } = JSON.parse(line);
  void orders[order](given);
}
process.exit(0);
