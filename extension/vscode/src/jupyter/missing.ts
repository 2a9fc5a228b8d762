// What may be missing before a board can be shown, and the button that mends each.
import { commands, type NotebookDocument, window } from "vscode";
import { runInNewCell } from "../notebook/cells";
import { JUPYTER, PYTHON } from "./api";

export type Missing =
  | { kind: "notebook" }
  | { kind: "jupyter" }
  | { kind: "python" }
  | { kind: "kernel" }
  | { kind: "language"; language: string }
  | { kind: "permission"; reason: string }
  | { kind: "package" }
  | { kind: "old_package" };

export interface Fix {
  label: string;
  run(): Thenable<unknown>;
}

export interface Advice {
  text: string;
  fix: Fix;
}

function install(extension: string, label: string): Fix {
  return {
    label,
    run: () => commands.executeCommand("workbench.extensions.installExtension", extension),
  };
}

function pip(notebook: NotebookDocument | undefined, label: string, line: string): Fix {
  return {
    label,
    run: async () => {
      if (notebook !== undefined) await runInNewCell(notebook, line);
    },
  };
}

/** What to say, and the one button that helps. */
export function advice(missing: Missing, notebook?: NotebookDocument): Advice {
  switch (missing.kind) {
    case "notebook":
      return {
        text: "Circuitboard works in Jupyter notebooks, and none is open in front.",
        fix: {
          label: "Open Example Notebook",
          run: () => commands.executeCommand("circuitboard.openExample"),
        },
      };
    case "jupyter":
      return {
        text: "Circuitboard needs the Jupyter extension, which runs notebooks and shows widgets; it is not installed or is disabled.",
        fix: install(JUPYTER, "Install Jupyter"),
      };
    case "python":
      return {
        text: "No kernel runs for this notebook, and the Python extension, which finds Python environments, is not installed or is disabled.",
        fix: install(PYTHON, "Install Python"),
      };
    case "kernel":
      return {
        text: "No kernel is started for this notebook. Select one under Python Environments in which circuitboard is installed, then run a cell.",
        fix: {
          label: "Select Kernel",
          run: () => commands.executeCommand("notebook.selectKernel"),
        },
      };
    case "language":
      return {
        text: `Boards live in Python kernels; this notebook's kernel runs ${missing.language}.`,
        fix: {
          label: "Select Kernel",
          run: () => commands.executeCommand("notebook.selectKernel"),
        },
      };
    case "permission":
      return {
        text: `Circuitboard could not run code in this kernel: ${missing.reason} If VS Code asked whether Circuitboard may use the kernel, allow it.`,
        fix: {
          label: "Manage Access",
          run: () => commands.executeCommand("jupyter.manageAccessToKernels"),
        },
      };
    case "package":
      return {
        text: "The Python package circuitboard is not installed where this notebook's kernel runs.",
        fix: pip(notebook, "Install circuitboard", "%pip install circuitboard"),
      };
    case "old_package":
      return {
        text: "The circuitboard package of this notebook's kernel is older than this extension and cannot show a board beside the notebook.",
        fix: pip(notebook, "Update circuitboard", "%pip install --upgrade circuitboard"),
      };
  }
}

/** Say it in VS Code's own place for messages. */
export async function tell(missing: Missing, notebook?: NotebookDocument): Promise<void> {
  const { text, fix } = advice(missing, notebook);
  if ((await window.showErrorMessage(text, fix.label)) === fix.label) await fix.run();
}
