// The JupyterLab extension: one command, in the palette and on the notebook's toolbar (by schema/plugin.json).
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import { ICommandPalette } from "@jupyterlab/apputils";
import { INotebookTracker, type NotebookPanel } from "@jupyterlab/notebook";
import { boardIcon } from "./icon";
import { BoardPanel } from "./panel";

const OPEN = "circuitboard:open";

const plugin: JupyterFrontEndPlugin<void> = {
  id: "circuitboard:plugin",
  description: "Shows the kernel's current board beside its notebook.",
  autoStart: true,
  requires: [INotebookTracker],
  optional: [ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    notebooks: INotebookTracker,
    palette: ICommandPalette | null,
  ) => {
    const panels = new WeakMap<NotebookPanel, BoardPanel>();

    app.commands.addCommand(OPEN, {
      label: (args) => (args.toolbar ? "" : "Circuitboard: open for this notebook"),
      caption: "Show this notebook's board in a panel beside it",
      icon: boardIcon,
      isEnabled: () => notebooks.currentWidget !== null,
      execute: async () => {
        const notebook = notebooks.currentWidget;
        if (!notebook) return;
        await notebook.context.ready;
        await notebook.sessionContext.ready;
        let panel = panels.get(notebook);
        if (!panel || panel.isDisposed) {
          panel = new BoardPanel(notebook);
          panels.set(notebook, panel);
          app.shell.add(panel, "main", { mode: "split-right", ref: notebook.id });
        } else {
          void panel.reload();
        }
        app.shell.activateById(panel.id);
      },
    });
    palette?.addItem({ command: OPEN, category: "Notebook Operations" });

    notebooks.currentChanged.connect(() => app.commands.notifyCommandChanged(OPEN));
  },
};

export default plugin;
