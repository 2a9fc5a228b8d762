// Builds the VS Code extension into dist/vscode/: one script for the extension host, one for the web view,
// and beside them what a package needs. `make vsix` packs that folder. --outdir=DIR takes another one.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { licencesOf } from "../licences.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));
const { values } = parseArgs({ options: { outdir: { type: "string" } } });
const stage = values.outdir ?? join(root, "dist/vscode");

rmSync(stage, { recursive: true, force: true });
mkdirSync(stage, { recursive: true });

/** @type {import("esbuild").BuildOptions} */
const shared = {
  outdir: join(stage, "dist"),
  bundle: true,
  minify: true,
  legalComments: "none",
  logLevel: "warning",
  metafile: true,
};
const host = await build({
  ...shared,
  entryPoints: { extension: join(here, "src/extension.ts") },
  platform: "node",
  format: "cjs",
  target: "node20",
  external: ["vscode"],
});
const view = await build({
  ...shared,
  entryPoints: { webview: join(here, "src/webview/main.ts") },
  platform: "browser",
  format: "iife",
  target: "es2022",
});

/** The panel's own list of keys, as tables. */
async function keys() {
  const entryPoints = [join(root, "extension/src/panels/help/key_map.ts")];
  const { outputFiles } = await build({ entryPoints, bundle: true, write: false, format: "esm" });
  const { KEY_MAP } = await import(
    `data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`
  );
  const cell = (text) => text.replaceAll("|", "\\|");
  const tables = KEY_MAP.map(({ title, keys: rows }) => {
    const lines = rows.map(([pressed, what]) => `| ${cell(pressed)} | ${cell(what)} |`);
    return [`## ${title}`, "", "| Keys | What they do |", "|---|---|", ...lines].join("\n");
  });
  return tables.join("\n\n");
}

const manifest = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));
manifest.version = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version;
writeFileSync(join(stage, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
cpSync(join(here, "media"), join(stage, "media"), { recursive: true });
const page = readFileSync(join(here, "media/keys.md"), "utf8");
writeFileSync(join(stage, "media/keys.md"), page.replace("<!-- keys -->", await keys()));
cpSync(join(root, "examples/01_first_click.ipynb"), join(stage, "media/example.ipynb"));
cpSync(join(here, "README.md"), join(stage, "README.md"));
cpSync(join(root, "CHANGELOG.md"), join(stage, "CHANGELOG.md"));
cpSync(join(root, "LICENSE"), join(stage, "LICENSE.txt"));
const inputs = [...Object.keys(host.metafile.inputs), ...Object.keys(view.metafile.inputs)];
writeFileSync(join(stage, "THIRD_PARTY_LICENCES.txt"), licencesOf(inputs, root));
