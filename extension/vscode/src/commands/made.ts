// After the cell of a new board was run: the settings that only a view can make, and a package that is missing.
import { type NotebookDocument, window, workspace } from "vscode";
import { type Ask, BRIDGE, type Sent, type Told } from "../../../src/protocol/generated";
import { expression } from "../bridge/expression";
import { ERROR_MIME, type Kernel } from "../jupyter/api";
import { kernelOf } from "../jupyter/kernel";
import { tell } from "../jupyter/missing";
import { runFor } from "../jupyter/run";
import { DEFAULTS, type Settings } from "../settings";

/** How long the outputs of a new cell are watched (ms): a first import of torch takes its time. */
const PATIENCE_MS = 5 * 60_000;

type Ran = "well" | "failed" | "no_package" | "unknown";

function errorOf(
  outputs: readonly { items: readonly { mime: string; data: Uint8Array }[] }[],
): Ran {
  for (const { items } of outputs) {
    for (const { mime, data } of items) {
      if (mime !== ERROR_MIME) continue;
      const { name, message } = JSON.parse(new TextDecoder().decode(data));
      const ours = name === "ModuleNotFoundError" && /circuitboard/.test(String(message));
      return ours ? "no_package" : "failed";
    }
  }
  return "well";
}

/** Resolves when the cell has ended. */
function ended(notebook: NotebookDocument, index: number): Promise<Ran> {
  const cell = notebook.cellAt(index);
  return new Promise((resolve) => {
    const done = (ran: Ran): void => {
      clearTimeout(timer);
      watching.dispose();
      resolve(ran);
    };
    const timer = setTimeout(() => done("unknown"), PATIENCE_MS);
    const look = (): void => {
      if (cell.executionSummary?.success !== undefined) done(errorOf(cell.outputs));
    };
    const watching = workspace.onDidChangeNotebookDocument((event) => {
      if (event.notebook === notebook) look();
    });
    look();
  });
}

async function ask(kernel: Kernel, question: Ask): Promise<Told> {
  return (await runFor(kernel, expression(question), BRIDGE)) as Told;
}

function refusal(messages: readonly Sent[] | undefined): string | null {
  const failed = messages?.find(({ content }) => content.kind === "failed");
  const error = failed?.content.error as { message?: unknown } | undefined;
  return typeof error?.message === "string" ? error.message : null;
}

/** Set what a click does, whether the map is live, and its colours, as a view would. */
async function prefer(kernel: Kernel, { mode, liveMap, colourMap }: Settings): Promise<void> {
  const { state, line = "" } = await ask(kernel, { what: "attach" });
  if (state !== "open") return;
  // Apart: prompts that refuse the mode refuse nothing else.
  const requests = [
    { kind: "set_view", id: "vscode-look", live: liveMap, colours: colourMap },
    { kind: "set_view", id: "vscode-mode", mode },
  ];
  const reply = await ask(kernel, { what: "exchange", line, wait_s: 1, requests });
  await ask(kernel, { what: "detach", line });
  const reason = refusal(reply.messages);
  if (reason !== null) void window.showWarningMessage(`Circuitboard's settings: ${reason}`);
}

/** Watch the cell at `index`, which makes a board, to its end. */
export async function afterBoard(
  notebook: NotebookDocument,
  index: number,
  settings: Settings,
): Promise<void> {
  const ran = await ended(notebook, index);
  if (ran === "no_package") await tell({ kind: "package" }, notebook);
  if (ran !== "well") return;
  const ofTheView = ["mode", "liveMap", "colourMap"] as const;
  if (ofTheView.every((name) => settings[name] === DEFAULTS[name])) return;
  const kernel = await kernelOf(notebook.uri);
  if (kernel.ok) await prefer(kernel.value, settings);
}
