// The state as Python, fetched while the kernel is there: when it goes, what was done can still be copied.
import type { RequestBody, Settlement } from "../protocol/connection";
import type { Snapshot } from "../protocol/generated";

/** How long a state rests before its code is fetched: no click waits for it (ms). */
export const REST_MS = 1500;

export interface KeptCode {
  /** The revision whose state it rebuilds. */
  revision: number;
  text: string;
}

/** What tells whether the state rests, and of which state the code is there. */
interface Situation {
  snapshot: Pick<Snapshot, "revision"> | null;
  connected: boolean;
  busy: unknown;
  inFlight: readonly unknown[];
  code: KeptCode | null;
}

/** The revision whose code is yet to be fetched; null while there is none, or while something is under way. */
function lacking(state: Situation): number | null {
  const { snapshot, connected, busy, inFlight, code } = state;
  if (snapshot === null || !connected || busy !== null || inFlight.length > 0) return null;
  return code?.revision === snapshot.revision ? null : snapshot.revision;
}

/** Fetches the code of each state that rests; `changed` is to be called whenever the state is another. */
export function codeKeeper(
  state: () => Situation,
  ask: (body: RequestBody) => Promise<Settlement>,
  keep: (code: KeptCode) => void,
): { changed(): void; close(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** What is waited for, or was last asked in vain. */
  let wanted: number | null = null;
  const fetch = async (revision: number): Promise<void> => {
    const answer = await ask({ kind: "copy_code" });
    // A step that came meanwhile may be in it already: then it is of neither state for sure.
    if (answer.kind === "code" && state().snapshot?.revision === revision)
      keep({ revision, text: answer.text });
  };
  return {
    changed() {
      const revision = lacking(state());
      if (revision === wanted) return;
      wanted = revision;
      clearTimeout(timer);
      if (revision !== null) timer = setTimeout(() => void fetch(revision), REST_MS);
    },
    close: () => clearTimeout(timer),
  };
}
