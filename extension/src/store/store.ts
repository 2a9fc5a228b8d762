// The store of one view: the state, who listens, and what a panel can ask for.
import {
  type Channel,
  Connection,
  type RequestBody,
  type Settlement,
} from "../protocol/connection";
import type { ComparisonState } from "./comparison";
import { codeKeeper } from "./kept_code";
import type { Kept, Look } from "./look";
import { type Action, reduce } from "./reducer";
import type { Selection, Wants } from "./selection";
import { type BoardState, INITIAL } from "./state";

/**
 * What may take a while: a page and a file name the model by a hash of its weights, and what is read of a
 * component is read in the background.
 */
const SLOW: ReadonlySet<RequestBody["kind"]> = new Set([
  "export",
  "save",
  "detail",
  "trace",
  "readers",
]);

export interface Store {
  state(): BoardState;
  subscribe(listener: () => void): () => void;
  request(body: RequestBody): Promise<Settlement>;
  select(selection: Selection | null): void;
  /** Read more of the selected component, or less. */
  want(patch: Partial<Wants>): void;
  /** Close the ranked list. */
  untrace(): void;
  /** Look at the maps in another way. */
  look(patch: Partial<Look>): void;
  /** Compare the live map with one that is kept; null to stop. */
  compare(kept: Kept | null): void;
  /** Compare two states; null to stop. */
  compareStates(comparison: ComparisonState | null): void;
  dismiss(): void;
  /** The host says that the kernel is gone, or is there again. */
  kernel(alive: boolean): void;
  close(): void;
}

/** A store that follows the kernel behind `channel`; it asks for everything at once. */
export function createStore(channel: Channel): Store {
  let state = INITIAL;
  const listeners = new Set<() => void>();
  const dispatch = (action: Action): void => {
    state = reduce(state, action);
    for (const listener of listeners) listener();
    keeper.changed();
  };
  // Requests of the store's own: nobody asked, so nobody is told how they end.
  const own = new WeakSet<RequestBody>();
  const connection = new Connection(channel, {
    sent: (id, body) => {
      if (!own.has(body)) dispatch({ type: "sent", id, body });
    },
    settled: (id, body, settlement) => {
      if (!own.has(body)) dispatch({ type: "settled", id, body, settlement });
    },
    welcome: (message) => dispatch({ type: "welcome", message }),
    event: (message) => dispatch({ type: "event", message }),
    failedAnywhere: () => dispatch({ type: "failed-anywhere" }),
    connected: (now, gone = false) => dispatch({ type: "connected", now, gone, at: Date.now() }),
  });
  const keeper = codeKeeper(
    () => state,
    (body) => {
      own.add(body);
      return connection.request(body, "patient");
    },
    (code) => dispatch({ type: "code-kept", code }),
  );
  connection.hello();
  return {
    state: () => state,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    request: (body) => connection.request(body, SLOW.has(body.kind) ? "patient" : "prompt"),
    select: (selection) => dispatch({ type: "select", selection }),
    want: (patch) => dispatch({ type: "want", patch }),
    untrace: () => dispatch({ type: "untrace" }),
    look: (patch) => dispatch({ type: "look", patch }),
    compare: (kept) => dispatch({ type: "compare", kept }),
    compareStates: (comparison) => dispatch({ type: "compare-states", comparison }),
    dismiss: () => dispatch({ type: "dismiss" }),
    kernel: (alive) => connection.kernel(alive),
    close: () => {
      keeper.close();
      connection.close();
    },
  };
}
