// The first example, shipped with the package: copied once to the folder the user is in, then opened.
import type { JupyterFrontEnd } from "@jupyterlab/application";
import { showErrorMessage } from "@jupyterlab/apputils";
import notebook from "../../../examples/01_first_click.ipynb";

const NAME = "circuitboard-first-click";

interface Browser {
  model: { path: string };
}

function folderOf(app: JupyterFrontEnd, cwd: string | null): string {
  if (cwd !== null) return cwd;
  // The file browser says where the user is; without it the server's own folder does.
  for (const widget of app.shell.widgets("left")) {
    const path = (widget as unknown as Partial<Browser>).model?.path;
    if (widget.id === "filebrowser" && typeof path === "string") return path;
  }
  return "";
}

export async function openExample(app: JupyterFrontEnd, cwd: string | null): Promise<void> {
  const { contents } = app.serviceManager;
  const folder = folderOf(app, cwd);
  const path = `${folder === "" ? "" : `${folder}/`}${NAME}.ipynb`;
  try {
    if (!(await exists())) {
      await contents.save(path, { type: "notebook", format: "json", content: notebook });
    }
    await app.commands.execute("docmanager:open", { path });
  } catch (error) {
    await showErrorMessage("The example could not be opened", error as Error);
  }

  async function exists(): Promise<boolean> {
    const { content } = await contents.get(folder, { content: true });
    return (content as { path: string }[]).some((one) => one.path === path);
  }
}
