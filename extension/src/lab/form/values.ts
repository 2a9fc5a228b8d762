// What the new-board form asks and is told; the kernel's side is circuitboard/form/form.py.
import type { BoardDefaults } from "../settings";

export const FORM_MODULE = "circuitboard.form.form";

export interface FormOptions {
  models: { name: string; available: string; does: string }[];
  variables: {
    models: { name: string; model: string; layers: number; heads: number }[];
    pairs: string[];
    texts: string[];
  };
  tasks: { name: string; asks: string }[];
  metrics: { name: string; unit: string; needs_wrong: boolean }[];
}

export interface ModelChoice {
  kind: "name" | "variable";
  name: string;
}

/** The fields as they stand; which of them count depends on `source`. */
export interface FormValues {
  model: ModelChoice;
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
  base: "clean" | "corrupted";
}

export interface Strip {
  /** Names of tokens, as Python gives them, and their ids. */
  tokens: string[];
  ids: number[];
  differs: boolean[];
  more: number;
}

export interface Problem {
  field: string;
  code: string;
  message: string;
}

export interface Checked {
  problems: Problem[];
  clean: Strip | null;
  corrupted: Strip | null;
  answers: { field: "answer" | "wrong"; ok: boolean; tokens: string[]; words: string }[];
  prompts: number | null;
  /** What may not be meant. */
  notes: { code: string; text: string; where: string }[];
  code: string | null;
  /** A model that has to be loaded before its tokens can be looked at. */
  load_first: string | null;
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
export function requestOf(values: FormValues, defaults: BoardDefaults): object | null {
  const prompts = promptsOf(values);
  if (prompts === null) return null;
  const view: Record<string, unknown> = {};
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

function promptsOf(values: FormValues): object | null {
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

function textOf(text: string, variable: string | null): object | null {
  if (variable !== null) return { variable };
  return text === "" ? null : { text };
}
