// "Show keyboard map": the panel's keys, and those of this extension.
import { commands, type ExtensionContext, Uri } from "vscode";

export async function showKeys(context: ExtensionContext): Promise<void> {
  const file = Uri.joinPath(context.extensionUri, "media", "keys.md");
  await commands.executeCommand("markdown.showPreview", file);
}
