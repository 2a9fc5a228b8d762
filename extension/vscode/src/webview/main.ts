// The script of the web view: draws the panel's own bundle, and says what the extension says of the kernel.
import type { FromView, ToView } from "../beside/messages";
import { handOverDownloads } from "./downloads";
import { Model } from "./model";

declare function acquireVsCodeApi(): {
  postMessage(message: FromView): void;
  setState(state: { notebook: string }): void;
};

interface Bundle {
  default: { render(given: { model: Model; el: HTMLElement }): () => void };
}

const vscode = acquireVsCodeApi();
const nonce = document.currentScript?.nonce ?? "";
let bundle: Bundle | null = null;
let model: Model | null = null;
let clean: (() => void) | null = null;
/** Messages are carried out in order, also those that arrive while the bundle is read. */
let last: Promise<void> = Promise.resolve();

function element(selector: string): HTMLElement {
  const element = document.querySelector<HTMLElement>(selector);
  if (element === null) throw new Error(`The page has no ${selector}.`);
  return element;
}

async function load(script: string, style: string): Promise<void> {
  const sheet = document.createElement("style");
  sheet.nonce = nonce;
  sheet.textContent = style;
  document.head.append(sheet);
  const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  bundle = (await import(address)) as Bundle;
  URL.revokeObjectURL(address);
}

function draw(): void {
  clean?.();
  clean = null;
  model?.off();
  model = new Model((content) => vscode.postMessage({ kind: "send", content }));
  if (bundle !== null) clean = bundle.default.render({ model, el: element("#board") });
}

function say(text: string, action: string | null): void {
  const status = element("#status");
  const button = element("#status button");
  status.hidden = text === "";
  element("#status p").textContent = text;
  button.textContent = action ?? "";
  button.hidden = action === null;
}

async function carryOut(message: ToView): Promise<void> {
  switch (message.kind) {
    case "notebook":
      vscode.setState({ notebook: message.notebook });
      return;
    case "bundle":
      return load(message.script, message.style);
    case "opened":
      return draw();
    case "messages":
      for (const sent of message.messages) model?.receive(sent);
      return;
    case "status":
      say(message.text, message.action);
      if (!message.usable) model?.close();
  }
}

window.addEventListener("message", ({ data }: MessageEvent<ToView>) => {
  last = last
    .then(() => carryOut(data))
    .catch((error: unknown) => {
      say(`The panel could not be drawn: ${error instanceof Error ? error.message : error}`, null);
    });
});
element("#status button").addEventListener("click", () => vscode.postMessage({ kind: "action" }));
handOverDownloads((name, data) => vscode.postMessage({ kind: "save", name, data }));
vscode.postMessage({ kind: "ready" });
