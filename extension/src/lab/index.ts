// The JupyterLab extension: boards in outputs, panels beside notebooks, the side panel, and the commands.
import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin,
} from "@jupyterlab/application";
import { ICommandPalette, WidgetTracker } from "@jupyterlab/apputils";
import { ILauncher } from "@jupyterlab/launcher";
import { INotebookTracker, type NotebookPanel } from "@jupyterlab/notebook";
import { IRenderMimeRegistry } from "@jupyterlab/rendermime";
import { ISettingRegistry } from "@jupyterlab/settingregistry";
import { WIDGET_VIEW } from "../protocol/generated";
import { addCommands, OPEN } from "./commands";
import { BoardsFeed } from "./feed";
import { KernelLife } from "./life";
import { drawBoards } from "./output/board_output";
import { followOutputs } from "./output/kept_output";
import type { BoardPanel } from "./panel";
import { Settings } from "./settings";
import { SideBar } from "./side/side_bar";

const PLUGIN = "circuitboard:plugin";

const plugin: JupyterFrontEndPlugin<void> = {
  id: PLUGIN,
  description: "Shows the kernels' boards beside their notebooks.",
  autoStart: true,
  requires: [INotebookTracker, IRenderMimeRegistry],
  optional: [ICommandPalette, ILauncher, ILayoutRestorer, ISettingRegistry],
  activate: (
    app: JupyterFrontEnd,
    notebooks: INotebookTracker,
    rendermime: IRenderMimeRegistry,
    palette: ICommandPalette | null,
    launcher: ILauncher | null,
    restorer: ILayoutRestorer | null,
    registry: ISettingRegistry | null,
  ) => {
    const feed = new BoardsFeed(app.serviceManager.serverSettings);
    const lives = new WeakMap<NotebookPanel, KernelLife>();
    const lifeOf = (notebook: NotebookPanel): KernelLife => {
      const existing = lives.get(notebook);
      if (existing) return existing;
      const life = new KernelLife(notebook, feed);
      lives.set(notebook, life);
      return life;
    };
    const attach = (notebook: NotebookPanel): void => {
      drawBoards(notebook, lifeOf(notebook), rendermime.getFactory(WIDGET_VIEW));
      followOutputs(notebook);
    };
    notebooks.widgetAdded.connect((_, notebook) => attach(notebook));
    notebooks.forEach(attach);

    const settings = new Settings();
    if (registry !== null) void settings.follow(registry, PLUGIN);

    const panels = new WidgetTracker<BoardPanel>({ namespace: "circuitboard" });
    const side = new SideBar({ app, notebooks, feed, settings });
    app.shell.add(side, "right", { rank: 900, type: "Circuitboard" });
    addCommands({ app, notebooks, lifeOf, panels, side, palette, launcher });

    if (restorer !== null) {
      restorer.add(side, "circuitboard-side");
      void restorer.restore(panels, {
        command: OPEN,
        args: (panel) => ({ path: panel.notebook.context.path, board: panel.board }),
        name: (panel) => `${panel.notebook.context.path}:${panel.board ?? "current"}`,
        when: notebooks.restored,
      });
    }
  },
};

export default plugin;
