// Bundles the page that shows the panel on a fake kernel: node extension/dev/build.mjs, then serve
// extension/dev with any static server. --outdir=DIR puts the bundle elsewhere.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({ options: { outdir: { type: "string" } } });
await build({
  entryPoints: { page: join(here, "page.ts"), widget: join(here, "../src/style/widget.css") },
  outdir: values.outdir ?? join(here, "built"),
  bundle: true,
  format: "esm",
  jsx: "automatic",
  jsxImportSource: "preact",
  logLevel: "warning",
});
