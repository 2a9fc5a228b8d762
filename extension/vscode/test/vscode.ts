// The part of VS Code's API that the extension uses, on a small world that tests set up and look at.
// It stands in for the module "vscode", which exists only inside VS Code.
import type { Kernel, KernelStatus, OutputItem } from "../src/jupyter/api";

export class Uri {
  constructor(readonly path: string) {}
  static parse(text: string): Uri {
    return new Uri(text.replace(/^file:\/\//, ""));
  }
  static file(path: string): Uri {
    return new Uri(path);
  }
  static joinPath(base: Uri, ...parts: string[]): Uri {
    return new Uri([base.path, ...parts].join("/"));
  }
  toString(): string {
    return `file://${this.path}`;
  }
}

type Listener<T> = (given: T) => void;

export class EventEmitter<T> {
  readonly #listeners = new Set<Listener<T>>();
  readonly event = (listener: Listener<T>): { dispose(): void } => {
    this.#listeners.add(listener);
    return { dispose: () => this.#listeners.delete(listener) };
  };
  fire(given: T): void {
    for (const listener of [...this.#listeners]) listener(given);
  }
  get count(): number {
    return this.#listeners.size;
  }
}

export class CancellationTokenSource {
  readonly token = { isCancellationRequested: false };
  dispose(): void {}
}

export const NotebookCellKind = { Markup: 1, Code: 2 };
export const ViewColumn = { Beside: -2 };

export class NotebookCellData {
  constructor(
    readonly kind: number,
    readonly value: string,
    readonly languageId: string,
  ) {}
}

export class NotebookData {
  metadata: unknown;
  constructor(readonly cells: NotebookCellData[]) {}
}

export class NotebookRange {
  constructor(
    readonly start: number,
    readonly end: number,
  ) {}
}

export class NotebookEdit {
  private constructor(
    readonly at: number,
    readonly cells: NotebookCellData[],
  ) {}
  static insertCells(at: number, cells: NotebookCellData[]): NotebookEdit {
    return new NotebookEdit(at, cells);
  }
}

export class WorkspaceEdit {
  readonly edits: { uri: Uri; edits: NotebookEdit[] }[] = [];
  set(uri: Uri, edits: NotebookEdit[]): void {
    this.edits.push({ uri, edits });
  }
}

export interface Cell {
  value: string;
  outputs: { items: OutputItem[] }[];
  executionSummary: { success?: boolean };
}

export class Notebook {
  readonly notebookType = "jupyter-notebook";
  readonly cells: Cell[] = [];
  constructor(readonly uri: Uri) {}
  get cellCount(): number {
    return this.cells.length;
  }
  cellAt(index: number): Cell {
    const cell = this.cells[index];
    if (cell === undefined) throw new Error(`no cell ${index}`);
    return cell;
  }
}

/** A kernel whose code is run by the test. */
export class StubKernel implements Kernel {
  language = "python";
  status: KernelStatus = "idle";
  readonly codes: string[] = [];
  readonly #changed = new EventEmitter<KernelStatus>();
  readonly onDidChangeStatus = this.#changed.event as Kernel["onDidChangeStatus"];
  constructor(public run: (code: string) => Promise<OutputItem[]> | OutputItem[]) {}
  async *executeCode(code: string): AsyncGenerator<{ items: OutputItem[] }> {
    this.codes.push(code);
    yield { items: await this.run(code) };
  }
  turn(status: KernelStatus): void {
    this.status = status;
    this.#changed.fire(status);
  }
  get watched(): number {
    return this.#changed.count;
  }
}

export class StubWebview {
  html = "";
  options: unknown;
  readonly posted: unknown[] = [];
  readonly #received = new EventEmitter<unknown>();
  readonly onDidReceiveMessage = this.#received.event;
  /** Called with each message to the page, besides keeping it. */
  arrived: ((message: unknown) => void) | null = null;
  asWebviewUri(uri: Uri): Uri {
    return new Uri(`/webview${uri.path}`);
  }
  async postMessage(message: unknown): Promise<boolean> {
    this.posted.push(message);
    this.arrived?.(message);
    return true;
  }
  fromPage(message: unknown): void {
    this.#received.fire(message);
  }
}

export class StubPanel {
  readonly webview = new StubWebview();
  visible = true;
  revealed = 0;
  readonly #viewState = new EventEmitter<void>();
  readonly onDidChangeViewState = this.#viewState.event;
  readonly #disposed = new EventEmitter<void>();
  readonly onDidDispose = this.#disposed.event;
  constructor(
    readonly viewType: string,
    readonly title: string,
  ) {}
  reveal(): void {
    this.revealed += 1;
  }
  show(visible: boolean): void {
    this.visible = visible;
    this.#viewState.fire();
  }
  dispose(): void {
    this.#disposed.fire();
  }
}

export interface Message {
  level: "error" | "warning" | "information";
  text: string;
  buttons: string[];
}

interface World {
  extensions: Set<string>;
  kernels: Map<string, StubKernel>;
  settings: Record<string, unknown>;
  notebooks: Notebook[];
  active: Notebook | undefined;
  selectedCell: number | null;
  selection: string;
  inputs: (string | undefined)[];
  asked: { title?: string; value?: string; refused: string | null }[];
  messages: Message[];
  /** Of the buttons of a message, those that are pressed. */
  press: Set<string>;
  executed: { command: string; given: unknown[] }[];
  panels: StubPanel[];
  files: Map<string, Uint8Array>;
  saveTo: Uri | undefined;
  shown: Notebook[];
  refuseEdits: boolean;
  /** How a cell ends when it is run. */
  runCell: (cell: Cell) => void;
}

function fresh(): World {
  return {
    extensions: new Set(["ms-toolsai.jupyter", "ms-python.python"]),
    kernels: new Map(),
    settings: {},
    notebooks: [],
    active: undefined,
    selectedCell: null,
    selection: "",
    inputs: [],
    asked: [],
    messages: [],
    press: new Set(),
    executed: [],
    panels: [],
    files: new Map(),
    saveTo: undefined,
    shown: [],
    refuseEdits: false,
    runCell: (cell) => {
      cell.executionSummary = { success: true };
    },
  };
}

export const world: World = fresh();
const registered = new Map<string, (...given: unknown[]) => unknown>();
export const serializers = new Map<
  string,
  { deserializeWebviewPanel(panel: StubPanel, state: unknown): Promise<void> }
>();
const changed = new EventEmitter<{ notebook: Notebook }>();

export function reset(): void {
  for (const panel of world.panels) panel.dispose();
  registered.clear();
  Object.assign(world, fresh());
}

export function openNotebook(name = "/notebooks/a.ipynb", cells = 0): Notebook {
  const notebook = new Notebook(new Uri(name));
  for (let at = 0; at < cells; at += 1) {
    notebook.cells.push({ value: `cell ${at}`, outputs: [], executionSummary: {} });
  }
  world.notebooks.push(notebook);
  world.active = notebook;
  return notebook;
}

/** The names of the commands that the extension has registered. */
export function commandNames(): string[] {
  return [...registered.keys()];
}

/** Run a command and wait for it. */
export function run(command: string, ...given: unknown[]): Promise<unknown> {
  return Promise.resolve(registered.get(command)?.(...given));
}

function executeCells(given: unknown): void {
  const { ranges, document } = given as { ranges: NotebookRange[]; document: Uri };
  const notebook = world.notebooks.find(({ uri }) => uri.toString() === document.toString());
  for (const { start, end } of ranges) {
    for (const cell of notebook?.cells.slice(start, end) ?? []) world.runCell(cell);
  }
  if (notebook !== undefined) setTimeout(() => changed.fire({ notebook }));
}

export const commands = {
  registerCommand(name: string, callback: (...given: unknown[]) => unknown) {
    registered.set(name, callback);
    return { dispose: () => registered.delete(name) };
  },
  async executeCommand(command: string, ...given: unknown[]): Promise<unknown> {
    world.executed.push({ command, given });
    if (command === "notebook.cell.execute") executeCells(given[0]);
    return registered.get(command)?.(...given);
  },
};

export const extensions = {
  getExtension(id: string): unknown {
    if (!world.extensions.has(id)) return undefined;
    const getKernel = async (uri: Uri) => world.kernels.get(uri.toString());
    return { id, activate: async () => ({ kernels: { getKernel } }) };
  },
};

function say(level: Message["level"]) {
  return async (text: string, ...buttons: string[]): Promise<string | undefined> => {
    world.messages.push({ level, text, buttons });
    return buttons.find((button) => world.press.has(button));
  };
}

export const window = {
  get activeNotebookEditor(): unknown {
    const { active, selectedCell } = world;
    if (active === undefined) return undefined;
    const selections =
      selectedCell === null ? [] : [new NotebookRange(selectedCell, selectedCell + 1)];
    return { notebook: active, selections, revealRange: () => undefined };
  },
  get activeTextEditor(): unknown {
    return { selection: null, document: { getText: () => world.selection } };
  },
  showErrorMessage: say("error"),
  showWarningMessage: say("warning"),
  showInformationMessage: say("information"),
  async showInputBox(options: {
    title?: string;
    value?: string;
    validateInput?(text: string): string | null;
  }): Promise<string | undefined> {
    const given = world.inputs.shift();
    const refused = given === undefined ? null : (options.validateInput?.(given) ?? null);
    world.asked.push({ ...options, refused });
    return refused === null ? given : undefined;
  },
  async showSaveDialog(): Promise<Uri | undefined> {
    return world.saveTo;
  },
  async showNotebookDocument(notebook: Notebook): Promise<void> {
    world.shown.push(notebook);
  },
  createWebviewPanel(viewType: string, title: string): StubPanel {
    const panel = new StubPanel(viewType, title);
    world.panels.push(panel);
    return panel;
  },
  registerWebviewPanelSerializer(
    viewType: string,
    serializer: { deserializeWebviewPanel(panel: StubPanel, state: unknown): Promise<void> },
  ) {
    serializers.set(viewType, serializer);
    return { dispose: () => serializers.delete(viewType) };
  },
};

export const workspace = {
  get notebookDocuments(): Notebook[] {
    return world.notebooks;
  },
  workspaceFolders: undefined,
  onDidChangeNotebookDocument: changed.event,
  getConfiguration: () => ({
    get: (name: string, otherwise: unknown) => world.settings[name] ?? otherwise,
  }),
  async applyEdit({ edits }: WorkspaceEdit): Promise<boolean> {
    if (world.refuseEdits) return false;
    for (const { uri, edits: inserted } of edits) {
      const notebook = world.notebooks.find((known) => known.uri.toString() === uri.toString());
      for (const { at, cells } of inserted) {
        const made = cells.map(({ value }) => ({ value, outputs: [], executionSummary: {} }));
        notebook?.cells.splice(at, 0, ...made);
      }
    }
    return true;
  },
  async openNotebookDocument(_type: string, data: NotebookData): Promise<Notebook> {
    const notebook = openNotebook("/untitled");
    for (const { value } of data.cells) {
      notebook.cells.push({ value, outputs: [], executionSummary: {} });
    }
    return notebook;
  },
  fs: {
    async readFile(uri: Uri): Promise<Uint8Array> {
      const found = world.files.get(uri.path);
      if (found === undefined) throw new Error(`no file ${uri.path}`);
      return found;
    },
    async writeFile(uri: Uri, data: Uint8Array): Promise<void> {
      world.files.set(uri.path, data);
    },
  },
};
