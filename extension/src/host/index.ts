// What differs between hosts: JupyterLab, Notebook 7, VS Code, marimo, Colab. Nothing else asks where it runs.
export { canRunCell, RUN_CELL, RUNS_CELLS, runCell } from "./cell";
export { copyLater } from "./clipboard";
export { download, forbidsDownloads } from "./download";
export { prefersStillness } from "./motion";
export { pngOf } from "./raster";
export { hostTheme, type Theme, useTheme } from "./theme";
