// The extension's entry: its commands, and the panels that VS Code brings back after a reload.
import { commands, type ExtensionContext, window } from "vscode";
import { restorer, VIEW_TYPE } from "./beside/panel";
import { openBeside } from "./commands/beside";
import { openExample } from "./commands/example";
import { showKeys } from "./commands/keys";
import { newFromSelection } from "./commands/new_board";
import { openBoard } from "./commands/open_board";

export function activate(context: ExtensionContext): void {
  context.subscriptions.push(
    commands.registerCommand("circuitboard.open", openBoard),
    commands.registerCommand("circuitboard.newFromSelection", newFromSelection),
    commands.registerCommand("circuitboard.openBeside", (given) => openBeside(context, given)),
    commands.registerCommand("circuitboard.openExample", () => openExample(context)),
    commands.registerCommand("circuitboard.showKeys", () => showKeys(context)),
    window.registerWebviewPanelSerializer(VIEW_TYPE, restorer(context)),
  );
}
