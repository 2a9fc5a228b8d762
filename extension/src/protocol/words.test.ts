// Numbers, shares, names, tokens, captions and columns in words: the cases that the kernel's tests read too
// (tests/protocol/test_words.py), so that what is exported says what is seen.
import { describe, expect, it } from "vitest";
import cases from "../../../tests/protocol/words.json";
import { metricName } from "../panels/header/name";
import { columnText } from "../panels/map/grid/Labels";
import { colourOf, inkOn, PALETTES } from "../panels/map/look/colour";
import { sameWords } from "../panels/map/words/look_words";
import { mapCaption } from "../panels/map/words/words";
import { capital, decimals, percent, plain, signed, withError, withoutZero } from "../parts/number";
import { tokenText, tokenWords } from "../parts/token";
import { stateName } from "../store/look";
import { roundUp } from "../store/scale";
import type { EffectMap } from "./decode";
import type { EditRow, PromptRow, Snapshot } from "./generated";

type Rule = (...given: never[]) => unknown;

const SPECIAL: Record<string, number> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  "-inf": Number.NEGATIVE_INFINITY,
  "-0": -0,
};

function ofNumbers(rule: (...given: never[]) => unknown): Rule {
  return (...given: unknown[]) =>
    rule(...(given.map((x) => (typeof x === "string" ? SPECIAL[x] : x)) as never[]));
}

function prompt(columns: PromptRow["columns"]): PromptRow {
  return { columns, answer: [], wrong: null };
}

const RULES: Record<keyof typeof cases, Rule> = {
  signed: ofNumbers(signed),
  plain: ofNumbers(plain),
  percent: ofNumbers(percent),
  decimals: ofNumbers(decimals),
  with_error: ofNumbers(withError),
  rounded_up: ofNumbers(roundUp),
  without_zero: withoutZero,
  capital,
  name: tokenText,
  token: tokenWords,
  metric: metricName,
  state: (base: Snapshot["base"], edits: string[]) =>
    sameWords(
      stateName({ base, edits: edits.map((what) => ({ what, enabled: true }) as EditRow) }),
      edits.length,
    ),
  colour: (effect: number, clip: number, name: keyof typeof PALETTES) =>
    colourOf(effect, clip, PALETTES[name].light),
  ink: inkOn,
  caption: (given: EffectMap & { layer: number } & PromptRow) =>
    mapCaption({ ...given, layers: [given.layer] }, prompt(given.columns)),
  columns: (columns: PromptRow["columns"]) =>
    columns.map((_, i) =>
      columnText(
        { over: "resid_pre", layers: [0], shape: [1, columns.length], index: null },
        i,
        prompt(columns),
      ),
    ),
};

describe("in words", () => {
  it.each(Object.entries(cases))("%s is as the kernel writes it", (rule, given) => {
    for (const one of given as unknown[][]) {
      const [words] = one.slice(-1);
      const args = one.slice(0, -1) as never[];
      expect(RULES[rule as keyof typeof cases](...args), JSON.stringify(one)).toEqual(words);
    }
  });
});
