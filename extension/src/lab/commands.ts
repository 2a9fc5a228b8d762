// The commands, and where they are offered: palette, launcher, notebook toolbar (by schema/plugin.json).
import type { JupyterFrontEnd } from "@jupyterlab/application";
import type { ICommandPalette, WidgetTracker } from "@jupyterlab/apputils";
import type { ILauncher } from "@jupyterlab/launcher";
import type { INotebookTracker, NotebookPanel } from "@jupyterlab/notebook";
import { openExample } from "./example";
import { boardIcon } from "./icon";
import { showKeyboardMap } from "./keyboard_map";
import type { KernelLife } from "./life";
import { BoardPanel } from "./panel";
import { selectedText } from "./selection";
import type { SideBar } from "./side/side_bar";

export const OPEN = "circuitboard:open";
export const SIDE = "circuitboard:side";
export const NEW = "circuitboard:new";
export const EXAMPLE = "circuitboard:example";
export const KEYS = "circuitboard:keys";

const CATEGORY = "Circuitboard";

export interface Parts {
  app: JupyterFrontEnd;
  notebooks: INotebookTracker;
  lifeOf: (notebook: NotebookPanel) => KernelLife;
  panels: WidgetTracker<BoardPanel>;
  side: SideBar;
  palette: ICommandPalette | null;
  launcher: ILauncher | null;
}

interface OpenArguments {
  /** The notebook; the current one if left out. */
  path?: string;
  board?: number | null;
  toolbar?: boolean;
}

export function addCommands(parts: Parts): void {
  const { app, notebooks, lifeOf, panels, side, palette, launcher } = parts;
  const { commands } = app;

  const notebookAt = async (path: string | undefined): Promise<NotebookPanel | null> => {
    if (path === undefined) return notebooks.currentWidget;
    const open = notebooks.find((notebook) => notebook.context.path === path);
    if (open) return open;
    await commands.execute("docmanager:open", { path });
    return notebooks.find((notebook) => notebook.context.path === path) ?? null;
  };

  commands.addCommand(OPEN, {
    label: (args) => (args.toolbar ? "" : "Circuitboard: open for this notebook"),
    caption: "Show this notebook's board in a panel beside it",
    icon: boardIcon,
    isEnabled: (args) => args.path !== undefined || notebooks.currentWidget !== null,
    execute: async (args) => {
      const { path, board = null } = args as OpenArguments;
      const notebook = await notebookAt(path);
      if (!notebook) return;
      const existing = panels.find((one) => one.notebook === notebook && one.board === board);
      let panel = existing;
      if (!panel) {
        const own = notebook;
        panel = new BoardPanel(
          own,
          lifeOf(own),
          { newBoard: () => side.openForm(app, own) },
          board,
        );
        await panels.add(panel);
        // Only JupyterLab's main area has room for two; elsewhere, as in Notebook 7, the side has.
        if (app.name === "JupyterLab") {
          app.shell.add(panel, "main", { mode: "split-right", ref: notebook.id });
        } else {
          app.shell.add(panel, "right");
        }
      } else {
        void panel.reload();
      }
      app.shell.activateById(panel.id);
    },
  });

  commands.addCommand(SIDE, {
    label: "Circuitboard: list of boards",
    caption: "Show the side panel with the boards of every running kernel",
    icon: boardIcon,
    execute: () => app.shell.activateById(side.id),
  });

  commands.addCommand(NEW, {
    label: "Circuitboard: new board from the selected text or a variable",
    caption:
      "Choose model, prompts and answers in a form; the selected text becomes the clean prompt",
    icon: boardIcon,
    isEnabled: () => notebooks.currentWidget !== null,
    execute: () => {
      const notebook = notebooks.currentWidget;
      if (notebook) side.openForm(app, notebook, selectedText(notebook));
    },
  });

  commands.addCommand(EXAMPLE, {
    label: (args) => (args.launcher ? "Circuitboard example" : "Circuitboard: open an example"),
    caption: "Copy the first example notebook to this folder, unless it is there, and open it",
    icon: boardIcon,
    execute: (args) => openExample(app, typeof args.cwd === "string" ? args.cwd : null),
  });

  commands.addCommand(KEYS, {
    label: "Circuitboard: show the keyboard map",
    caption: "Keys of the board that is on the screen",
    icon: boardIcon,
    execute: () => showKeyboardMap(app),
  });

  for (const command of [OPEN, SIDE, NEW, EXAMPLE, KEYS]) {
    palette?.addItem({ command, category: CATEGORY });
  }
  launcher?.add({ command: EXAMPLE, category: "Other", rank: 20, args: { launcher: true } });

  notebooks.currentChanged.connect(() => commands.notifyCommandChanged());
}
