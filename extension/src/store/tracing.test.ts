// What a ranked list is of, and which answers it takes: a second question, another selection, another prompt.
import { expect, it } from "vitest";
import type { RequestBody, Settlement } from "../protocol/connection";
import type { Selection } from "./selection";
import { answerTrace, askTrace, keepTrace, type TraceState } from "./tracing";

const at = (site: string): Selection => ({ site, position: null }) as Selection;
const trace = (site: string, part: "q" | "k"): RequestBody => ({ kind: "trace", site, part });
const readers = (position: number, prompt: number): RequestBody => ({
  kind: "readers",
  position,
  prompt,
});
const rows = (id: string): Settlement =>
  ({
    kind: "traced",
    id,
    rows: [{ sender: "2.5" }, { sender: "mlp_out 1" }],
  }) as unknown as Settlement;
const read = (id: string): Settlement =>
  ({ kind: "read_by", id, rows: [{ site: "7.1" }] }) as unknown as Settlement;
const failed = (id: string): Settlement => ({
  kind: "failed",
  id,
  error: { code: "no", message: "no", where: null },
});

function asked(...bodies: RequestBody[]): TraceState {
  let state: TraceState | null = null;
  bodies.forEach((body, i) => {
    state = askTrace(state, at("4.3"), `${i}`, body);
    if (i < bodies.length - 1) state = answerTrace(state, `${i}`, rows(`${i}`));
  });
  if (state === null) throw new Error("nothing was asked");
  return state;
}

it.each([
  [trace("4.3", "q"), trace("4.3", "q"), true],
  [trace("4.3", "q"), trace("4.3", "k"), false],
  [trace("4.3", "q"), trace("3.4", "q"), false],
  [readers(0, 2), readers(0, 2), true],
  [readers(0, 2), readers(0, 1), false],
  [readers(0, 2), readers(1, 2), false],
  [readers(0, 2), trace("4.3", "q"), false],
])("the list of %j stays while %j is asked: %s", (first, second, stays) => {
  expect(asked(first, second).read !== null).toBe(stays);
});

it("is asked for where something is selected, and the list before stays where nothing is", () => {
  expect(askTrace(null, null, "1", trace("4.3", "q"))).toBeNull();
  const before = asked(trace("4.3", "q"));
  expect(askTrace(before, null, "2", trace("5.6", "k"))).toBe(before);
  expect(askTrace(before, at("5.6"), "2", { kind: "undo" })).toBe(before);
});

it("takes the answer to its newest question alone", () => {
  const two = asked(trace("4.3", "q"), trace("5.6", "k"));
  for (const answer of [rows("0"), failed("0"), { kind: "superseded", id: "0" } as const])
    expect(answerTrace(two, "0", answer)).toBe(two);
  expect(answerTrace(two, "1", rows("1"))).toMatchObject({ asked: null, read: rows("1") });
  const refused = answerTrace(two, "1", failed("1"));
  expect(refused).toMatchObject({ asked: null, read: null, failed: { code: "no" } });
  expect(askTrace(refused, at("4.3"), "2", trace("5.6", "k"))?.failed).toBeNull();
});

it("is kept where it was asked for and at its rows, and nowhere else", () => {
  const traced = answerTrace(asked(trace("4.3", "q")), "0", rows("0"));
  const readBy = answerTrace(asked(readers(0, 2)), "0", read("0"));
  const kept = (state: TraceState | null, site: string): boolean =>
    keepTrace(state, at(site)) !== null;
  expect(["4.3", "2.5", "mlp_out 1", "7.1", "3.4"].map((site) => kept(traced, site))).toEqual([
    true,
    true,
    true,
    false,
    false,
  ]);
  expect(["4.3", "2.5", "7.1"].map((site) => kept(readBy, site))).toEqual([true, false, true]);
  expect(keepTrace(traced, null)).toBeNull();
});
