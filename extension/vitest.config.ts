import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const here = dirname(fileURLToPath(import.meta.url));

export default defineConfig({
  root: here,
  // VS Code gives its API to extensions as a module that no registry has.
  resolve: { alias: { vscode: join(here, "vscode/test/vscode.ts") } },
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  test: {
    include: ["src/**/*.test.ts", "src/**/*.test.tsx", "vscode/test/**/*.test.ts"],
    environment: "happy-dom",
    pool: "threads",
    // Each file has a page of its own: what one leaves on it would meet the next.
    poolOptions: { threads: { maxThreads: 2 } },
    restoreMocks: true,
    setupFiles: ["dev/clock.ts"],
    // Only what hangs is to be stopped by it: time in the tests is their own.
    testTimeout: 300_000,
  },
});
