// Bundles the page that shows the panel on a fake kernel: node extension/dev/build.mjs, then serve
// extension/dev with any static server.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
await build({
  entryPoints: { page: join(here, "page.ts"), widget: join(here, "../src/style/widget.css") },
  outdir: join(here, "built"),
  bundle: true,
  format: "esm",
  jsx: "automatic",
  jsxImportSource: "preact",
  logLevel: "warning",
});
