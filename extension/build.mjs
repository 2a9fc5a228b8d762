// Builds the widget: one self-contained ESM file and one style sheet, for anywidget.
// --watch rebuilds on every change; --outdir=DIR puts them elsewhere.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { build, context } from "esbuild";
import { licencesOf } from "./licences.mjs";
import plainText from "./plain_text.cjs";

const here = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({
  options: { watch: { type: "boolean" }, outdir: { type: "string" } },
});
const outdir = values.outdir ?? join(dirname(here), "kernel_side/circuitboard/widget/static");

const noHtml = {
  name: "plain-text",
  setup(builder) {
    builder.onLoad({ filter: /preact[\\/]dist[\\/]preact\.mjs$/ }, ({ path }) => ({
      contents: plainText(readFileSync(path, "utf8")),
      loader: "js",
    }));
  },
};

// What would break a strict content security policy, the offline promise, or a blob: URL.
const FORBIDDEN =
  /\.innerHTML|\.outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function\b|\bfetch\(|XMLHttpRequest|WebSocket|\bimport\(|\bimport\b[^(;]*from|window\.open|\balert\(|\bprompt\(/;

/** @type {import("esbuild").BuildOptions} */
const options = {
  entryPoints: { widget: join(here, "src/widget.tsx") },
  outdir,
  bundle: true,
  format: "esm",
  target: ["es2022", "chrome111", "firefox113", "safari16.4"],
  minify: true,
  legalComments: "none",
  jsx: "automatic",
  jsxImportSource: "preact",
  logLevel: "warning",
  metafile: true,
  plugins: [noHtml],
};

if (values.watch) {
  const watching = await context(options);
  await watching.watch();
} else {
  const { metafile } = await build(options);
  const found = FORBIDDEN.exec(readFileSync(join(outdir, "widget.js"), "utf8"));
  if (found !== null) throw new Error(`The bundle contains ${found[0]}`);
  const licences = licencesOf(Object.keys(metafile.inputs), dirname(here));
  writeFileSync(join(outdir, "THIRD_PARTY_LICENCES.txt"), licences);
  for (const name of ["widget.js", "widget.css"]) {
    const bytes = readFileSync(join(outdir, name));
    const kB = (n) => (n / 1000).toFixed(1);
    process.stdout.write(
      `${name}  ${kB(bytes.length)} kB, gzip ${kB(gzipSync(bytes).length)} kB\n`,
    );
  }
}
