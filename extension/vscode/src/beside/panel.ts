// The panel beside a notebook: one for each, found again when it is asked for, restored after a reload.
import { randomBytes } from "node:crypto";
import {
  type ExtensionContext,
  Uri,
  ViewColumn,
  type WebviewPanel,
  type WebviewPanelSerializer,
  window,
  workspace,
} from "vscode";
import { BoardLine } from "../bridge/line";
import type { Fix } from "../jupyter/missing";
import type { FromView, ToView } from "./messages";
import { pageOf } from "./page";
import { wordsOf } from "./words";

export const VIEW_TYPE = "circuitboard.beside";

const open = new Map<string, WebviewPanel>();

function notebookOf(uri: Uri) {
  return workspace.notebookDocuments.find((known) => known.uri.toString() === uri.toString());
}

async function save(name: string, data: string): Promise<void> {
  const folder = workspace.workspaceFolders?.[0]?.uri;
  const start = folder === undefined ? Uri.file(name) : Uri.joinPath(folder, name);
  const target = await window.showSaveDialog({ defaultUri: start });
  if (target !== undefined) await workspace.fs.writeFile(target, Buffer.from(data, "base64"));
}

function fill(panel: WebviewPanel, notebook: Uri, extension: Uri): void {
  const dist = Uri.joinPath(extension, "dist");
  const { webview } = panel;
  webview.options = { enableScripts: true, localResourceRoots: [dist] };
  let fix: Fix | null = null;
  const post = (message: ToView): void => void webview.postMessage(message);
  const line = new BoardLine(notebook, {
    state: (state) => {
      const words = wordsOf(state, notebookOf(notebook), () => line.turnToNewest());
      fix = words.fix;
      const action = fix?.label ?? null;
      post({ kind: "status", text: words.text, action, usable: words.usable });
    },
    bundle: (script, style) => post({ kind: "bundle", script, style }),
    opened: () => post({ kind: "opened" }),
    messages: (messages) => post({ kind: "messages", messages }),
  });
  webview.onDidReceiveMessage((message: FromView) => {
    if (message.kind === "ready") {
      post({ kind: "notebook", notebook: notebook.toString() });
      void line.run();
    } else if (message.kind === "send") line.send(message.content);
    else if (message.kind === "action") void fix?.run();
    else void save(message.name, message.data);
  });
  panel.onDidChangeViewState(() => line.show(panel.visible));
  panel.onDidDispose(() => {
    line.dispose();
    if (open.get(notebook.toString()) === panel) open.delete(notebook.toString());
  });
  open.set(notebook.toString(), panel);
  webview.html = pageOf({
    nonce: randomBytes(16).toString("hex"),
    script: webview.asWebviewUri(Uri.joinPath(dist, "webview.js")).toString(),
  });
}

/** Show the panel beside this notebook. */
export function showBeside(context: ExtensionContext, notebook: Uri): void {
  const earlier = open.get(notebook.toString());
  if (earlier !== undefined) {
    earlier.reveal(undefined, true);
    return;
  }
  const name = notebook.path.split("/").at(-1) ?? "";
  const panel = window.createWebviewPanel(
    VIEW_TYPE,
    `Board: ${name}`,
    { viewColumn: ViewColumn.Beside, preserveFocus: true },
    { enableScripts: true, retainContextWhenHidden: true },
  );
  fill(panel, notebook, context.extensionUri);
}

/** Fills the panels that VS Code brings back when its window is loaded again. */
export function restorer(context: ExtensionContext): WebviewPanelSerializer<{ notebook?: string }> {
  return {
    deserializeWebviewPanel: async (panel, state) => {
      if (state?.notebook === undefined) panel.dispose();
      else fill(panel, Uri.parse(state.notebook), context.extensionUri);
    },
  };
}
