// A ranked list in the detail region: what moves a component, or who reads from a token.
import type { RequestBody, Settlement } from "../protocol/connection";
import type { ErrorInfo, ReadBy, Trace, Traced } from "../protocol/generated";
import type { Selection } from "./selection";

export type TraceQuestion =
  | { kind: "trace"; site: string; part: Trace["part"] }
  | { kind: "readers"; position: number; prompt: number };

export interface TraceState {
  question: TraceQuestion;
  /** What was selected when it was asked for: the list stands in its place. */
  from: Selection;
  /** The request that is under way. */
  asked: string | null;
  read: Traced | ReadBy | null;
  failed: ErrorInfo | null;
}

export function sameTrace(a: TraceQuestion, b: TraceQuestion): boolean {
  if (a.kind === "trace") return b.kind === "trace" && a.site === b.site && a.part === b.part;
  return b.kind === "readers" && a.position === b.position && a.prompt === b.prompt;
}

/** After a request was sent: an answer to the same question stays until the next one comes. */
export function askTrace(
  before: TraceState | null,
  selected: Selection | null,
  id: string,
  body: RequestBody,
): TraceState | null {
  if (body.kind !== "trace" && body.kind !== "readers") return before;
  const question: TraceQuestion =
    body.kind === "trace"
      ? { kind: "trace", site: body.site, part: body.part }
      : { kind: "readers", position: body.position, prompt: body.prompt ?? 0 };
  if (before !== null && sameTrace(before.question, question))
    return { ...before, asked: id, failed: null };
  return selected === null
    ? before
    : { question, from: selected, asked: id, read: null, failed: null };
}

/** An answer to anything but the newest question is not drawn. */
export function answerTrace(
  before: TraceState | null,
  id: string,
  settlement: Settlement,
): TraceState | null {
  if (before === null || before.asked !== id) return before;
  switch (settlement.kind) {
    case "traced":
    case "read_by":
      return { ...before, asked: null, read: settlement, failed: null };
    case "failed":
      return { ...before, asked: null, failed: settlement.error };
    default:
      return { ...before, asked: null };
  }
}

/** The list, if it is still worth going back to: it is where it was asked for, or one of its rows is selected. */
export function keepTrace(before: TraceState | null, now: Selection | null): TraceState | null {
  if (before === null || now === null) return null;
  const { from, read } = before;
  const isRow =
    read?.kind === "traced"
      ? read.rows.some(({ sender }) => sender === now.site)
      : read?.rows.some(({ site }) => site === now.site);
  return now.site === from.site || isRow === true ? before : null;
}
