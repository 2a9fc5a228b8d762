// What the side panel shows; a pure description of the kernels and notebooks that are there.
import type { BoardSummary } from "../../protocol/generated";
import type { Listing } from "../feed";

/** What can be done in the notebook in front. */
export type Here =
  | { kind: "no-notebook" }
  | { kind: "no-kernel"; name: string }
  | { kind: "checking"; name: string; busy: boolean }
  | { kind: "no-python"; name: string; language: string }
  | { kind: "no-package"; name: string }
  | { kind: "failed"; name: string; words: string }
  | { kind: "ready"; name: string };

export interface Group {
  kernel: string;
  /** The notebook of the kernel; null for a console or a kernel without a session. */
  path: string | null;
  name: string;
  current: boolean;
  boards: readonly BoardSummary[];
  lost: number;
  unreadable: number;
}

export interface Session {
  path: string;
  name: string;
  kernel: string;
}

/** The boards of every kernel, the current notebook's first. */
export function groupsOf(
  listing: Listing,
  sessions: readonly Session[],
  current: string | null,
): Group[] {
  if (listing.kind !== "boards") return [];
  const groups = listing.kernels.map((row) => {
    const session = sessions.find(({ kernel }) => kernel === row.kernel);
    return {
      kernel: row.kernel,
      path: session?.path ?? null,
      name: session?.name ?? "a kernel without a notebook",
      current: row.kernel === current,
      boards: row.boards,
      lost: row.lost,
      unreadable: row.unreadable,
    };
  });
  return groups.sort(
    (a, b) => Number(b.current) - Number(a.current) || a.name.localeCompare(b.name),
  );
}
