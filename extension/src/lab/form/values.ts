// The new-board form's fields as they stand, and the question to the kernel that they make.
import type { Form, FormText } from "../../protocol/generated";
import type { BoardDefaults } from "../settings";

/** The fields as they stand; which of them count depends on `source`. */
export interface FormValues {
  model: Form["model"];
  source: "typed" | "task" | "pair";
  clean: string;
  corrupted: string;
  /** A variable that holds the text, in place of what is typed. */
  cleanVariable: string | null;
  corruptedVariable: string | null;
  answer: string;
  wrong: string;
  task: string;
  n: number;
  seed: number;
  pair: string;
  metric: string;
  base: Form["base"];
}

export function startValues(defaults: BoardDefaults, clean: string): FormValues {
  return {
    model: { kind: "name", name: "demo" },
    source: "typed",
    clean,
    corrupted: "",
    cleanVariable: null,
    corruptedVariable: null,
    answer: "",
    wrong: "",
    task: "ioi",
    n: 8,
    seed: 0,
    pair: "",
    metric: defaults.metric,
    base: defaults.base,
  };
}

/** The question to the kernel; null while there is nothing to look at. */
export function requestOf(values: FormValues, defaults: BoardDefaults): Form | null {
  const prompts = promptsOf(values);
  if (prompts === null) return null;
  const view: Form["view"] = {};
  if (defaults.mode !== "zero") view.mode = defaults.mode;
  if (!defaults.live) view.live = false;
  if (defaults.updatesPerSecond !== 30) view.updates_per_second = defaults.updatesPerSecond;
  if (defaults.colours !== "orange-blue") view.colours = defaults.colours;
  return {
    model: values.model,
    prompts,
    metric: values.metric,
    base: values.base,
    view,
    memory_mb: defaults.memoryMb,
  };
}

function promptsOf(values: FormValues): Form["prompts"] | null {
  switch (values.source) {
    case "task":
      return { kind: "task", task: values.task, n: values.n, seed: values.seed };
    case "pair":
      return values.pair === "" ? null : { kind: "pair", name: values.pair };
    case "typed": {
      const clean = textOf(values.clean, values.cleanVariable);
      if (clean === null) return null;
      return {
        kind: "typed",
        clean,
        corrupted: textOf(values.corrupted, values.corruptedVariable),
        answer: values.answer,
        wrong: values.wrong,
      };
    }
  }
}

function textOf(text: string, variable: string | null): FormText | null {
  if (variable !== null) return { variable };
  return text === "" ? null : { text };
}
