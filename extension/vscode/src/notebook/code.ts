// The Python that makes a board. It is the user's from then on, so it reads like something one would write.
import { SHOW_MODULE } from "../../../src/protocol/generated";
import type { Settings } from "../settings";

export interface Prompts {
  clean: string;
  corrupted: string | null;
  answer: string;
  wrong: string | null;
}

/** A Python string literal: JSON's escapes are Python's too. */
export function literal(text: string): string {
  return JSON.stringify(text).replaceAll("\u007f", "\\u007f");
}

/** Whether the text can be the name of a variable, and so stands for itself. */
export function isName(text: string): boolean {
  return /^[\p{L}_][\p{L}\p{N}_]*(\.[\p{L}_][\p{L}\p{N}_]*)*$/u.test(text);
}

/** Whether it is one string literal without a quote of its own kind inside. */
export function isLiteral(text: string): boolean {
  return /^(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')$/.test(text);
}

function options({ metric, base }: Settings): string {
  const given = [
    metric === "logit_diff" ? "" : `, metric=${literal(metric)}`,
    base === "clean" ? "" : `, base=${literal(base)}`,
  ];
  return given.join("");
}

/** A board to start with: names and givers on the model of the settings. */
export function firstBoard(settings: Settings): string {
  return [
    "import circuitboard as cb",
    "",
    `model = cb.load(${literal(settings.model)})`,
    `board = cb.Board(model, cb.tasks.ioi(16, seed=0, model=model)${options(settings)})`,
    "board",
  ].join("\n");
}

/** A board on prompts that a variable of the notebook holds; `name` is a name. */
export function boardOfVariable(name: string, settings: Settings): string {
  return [
    "import circuitboard as cb",
    "",
    `model = cb.load(${literal(settings.model)})`,
    `board = cb.Board(model, ${name}${options(settings)})`,
    "board",
  ].join("\n");
}

/** A board on prompts given in words; `clean` may be a literal already. */
export function boardOfPrompts(prompts: Prompts, settings: Settings): string {
  const clean = isLiteral(prompts.clean) ? prompts.clean : literal(prompts.clean);
  const fields = [
    `    clean=${clean},`,
    prompts.corrupted === null ? null : `    corrupted=${literal(prompts.corrupted)},`,
    `    answer=${literal(prompts.answer)},`,
    prompts.wrong === null ? null : `    wrong=${literal(prompts.wrong)},`,
  ].filter((line) => line !== null);
  return [
    "import circuitboard as cb",
    "",
    `model = cb.load(${literal(settings.model)})`,
    "pair = cb.PromptPair(",
    ...fields,
    ")",
    `board = cb.Board(model, pair${options(settings)})`,
    "board",
  ].join("\n");
}

/** Shows the board that the kernel has already. */
export const SHOW_CURRENT = `import ${SHOW_MODULE}\n\n${SHOW_MODULE}.show_current()`;
