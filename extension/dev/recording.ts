// What is recorded of a conversation, and what a request is found by.
import type { AnyRequest, Setup, Snapshot } from "../src/protocol/generated";

/** A message without what differs each time: its id or number. */
export interface Said {
  content: { kind: string; snapshot?: Snapshot; setup?: Setup | null };
  buffers: string[];
}
export interface Recording {
  said: Said[];
  answers?: Record<string, Said[]>;
  steps?: Record<string, Recording>;
}
/** What is said to a request that has no record: at which steps, and whether it is a step. */
export type Ask = (steps: readonly string[], request: string, isStep: boolean) => Said[];

const READS: ReadonlySet<string> = new Set<AnyRequest["kind"]>([
  ...(["detail", "trace", "readers", "compare"] as const),
  ...(["export", "save", "copy_code", "verify"] as const),
]);

export function refuse(steps: readonly string[], request: string): never {
  const error = new Error(
    `not recorded, see CONTRIBUTING.md: ${request} after ${steps.join(", ") || "hello"}`,
  );
  // A view takes a line that throws for one that is lost; a test must not.
  queueMicrotask(() => {
    throw error;
  });
  throw error;
}

const inOrder = (_: string, value: unknown): unknown =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;

export function isRead(kind: string): boolean {
  return READS.has(kind);
}

/** A request as text; `drags` are those of the conversation, which have names of their own in every view. */
export function keyOf(body: object, drags: string[]): string {
  if (!("drag" in body)) return JSON.stringify(body, inOrder);
  const drag = String(body.drag);
  if (!drags.includes(drag)) drags.push(drag);
  return JSON.stringify({ ...body, drag: `drag ${drags.indexOf(drag)}` }, inOrder);
}
