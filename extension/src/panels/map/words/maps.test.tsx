// Maps as they are looked at, in numbers and in words: the cases that the kernel's tests read too
// (tests/protocol/test_maps.py), so that an exported map shows and says what this one does.
import { render } from "preact";
import { describe, expect, it } from "vitest";
import cases from "../../../../../tests/protocol/maps.json";
import type { EffectMap } from "../../../protocol/decode";
import type { PromptRow } from "../../../protocol/generated";
import { type Kept, type Look, orderOf, PLAIN } from "../../../store/look";
import { clipOf, endOf } from "../../../store/scale";
import { layerOf } from "../grid/cells";
import { columnText } from "../grid/Labels";
import { PALETTES } from "../look/colour";
import { differenceOf } from "../look/difference";
import { Legend } from "../look/Legend";
import { linesOf } from "../look/lines";
import { planeOf } from "../look/plane";
import { comparisonWords, lookWords } from "./look_words";
import { mapCaption } from "./words";

type Case = (typeof cases)[number] & {
  kept?: { effect: (number | string)[]; known: number[]; n_edits: number; name: string };
  look: {
    unit?: string;
    hide_below?: number;
    numbers_from?: number;
    show?: string;
    order?: string;
    layers?: number[];
    side?: string;
  };
};

function numbers(of: readonly (number | string)[]): number[] {
  return of.map((x) =>
    x === "nan" ? Number.NaN : x === "inf" ? Number.POSITIVE_INFINITY : Number(x),
  );
}

function mapOf(given: Case["map"], other: object = {}): EffectMap {
  const map = { ...given, ...other };
  return {
    ...map,
    index: null,
    stderr: null,
    before: null,
    effect: Float32Array.from(numbers(map.effect)),
    known: Uint8Array.from(map.known),
  } as unknown as EffectMap;
}

function lookOf({ look }: Case): Look {
  return {
    ...PLAIN,
    ...look,
    hideBelow: look.hide_below ?? 0,
    numbersFrom: look.numbers_from ?? null,
    layers: look.layers ?? null,
  } as Look;
}

/** What is written in the legend. */
function written(element: Element, selector: string): string[] {
  return [...element.querySelectorAll(selector)].map((found) => found.textContent ?? "");
}

describe("a map", () => {
  it.each(cases as unknown as Case[])("$name: is as the kernel draws it", (given) => {
    const { says } = given;
    const [map, look] = [mapOf(given.map), lookOf(given)];
    const prompt = { columns: given.columns, answer: [], wrong: null } as PromptRow;
    const kept: Kept | null =
      given.kept === undefined
        ? null
        : { map: mapOf(given.map, given.kept), name: given.kept.name, unedited: false };
    const compared = kept === null ? null : differenceOf(kept.map, map);
    const difference = compared?.refused === null ? compared.difference : null;
    const distance = map.over === "resid_pre" ? Math.abs(given.clean - given.corrupted) : null;
    const { clip, fixed } = endOf(clipOf(map.effect, map.known), distance);
    const keptClip = difference === null ? 0 : clipOf(difference.a, difference.knownA);
    const real = (value: number) => ({ value, special: null });
    const plane = planeOf({
      map,
      look,
      clip: Math.max(clip, keptClip),
      baselines: { clean: real(given.clean), corrupted: real(given.corrupted) },
      unit: given.unit,
      difference,
      edits: new Map(
        given.edits.map(([cell, how, enabled], index) => [
          Number(cell),
          { how: String(how), enabled: enabled === true, index },
        ]),
      ),
    });
    const lines = linesOf(map, look, orderOf(map));
    expect(kept === null ? mapCaption(map, prompt) : comparisonWords(plane, kept, prompt)).toBe(
      says.caption,
    );
    expect(lookWords(plane, look, true) ?? "").toBe(says.look);
    expect(lines.rows.map((row) => String(layerOf(map, row)))).toEqual(says.rows);
    expect(lines.columns.map((column) => columnText(map, column, prompt))).toEqual(says.columns);
    const hidden = [...(plane.sunk ?? [])].flatMap((sunk, cell) => (sunk === 1 ? [cell] : []));
    expect(hidden).toEqual(says.hidden);
    numbers(says.value).forEach((value, cell) => {
      if (plane.kind[cell] !== 0) expect((plane.value[cell] ?? 0) + 0).toBe(value + 0);
    });
    const root = document.createElement("div");
    render(
      <Legend
        plane={plane}
        fixed={fixed && plane.side !== "difference" && keptClip <= clip}
        stale={false}
        edited={given.edits.length > 0}
        palette={PALETTES["orange-blue"].light}
      />,
      root,
    );
    expect(written(root, ".cb-note")).toEqual([says.note]);
    expect(written(root, ".cb-key")).toEqual(says.keys);
    expect(written(root, ".cb-ramp-text")).toEqual(says.ends);
    render(null, root);
  });
});
