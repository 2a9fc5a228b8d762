// The store of one view: the state, who listens, and what a panel can ask for.
import {
  type Channel,
  Connection,
  type RequestBody,
  type Settlement,
} from "../protocol/connection";
import { type Action, reduce } from "./reducer";
import { type BoardState, INITIAL, type Selection } from "./state";

export interface Store {
  state(): BoardState;
  subscribe(listener: () => void): () => void;
  request(body: RequestBody): Promise<Settlement>;
  select(selection: Selection | null): void;
  dismiss(): void;
  close(): void;
}

/** A store that follows the kernel behind `channel`; it asks for everything at once. */
export function createStore(channel: Channel): Store {
  let state = INITIAL;
  const listeners = new Set<() => void>();
  const dispatch = (action: Action): void => {
    state = reduce(state, action);
    for (const listener of listeners) listener();
  };
  const connection = new Connection(channel, {
    sent: (id, body) => dispatch({ type: "sent", id, body }),
    settled: (id, body, settlement) => dispatch({ type: "settled", id, body, settlement }),
    welcome: (message) => dispatch({ type: "welcome", message }),
    event: (message) => dispatch({ type: "event", message }),
    failedAnywhere: () => dispatch({ type: "failed-anywhere" }),
    connected: (now) => dispatch({ type: "connected", now, at: Date.now() }),
  });
  connection.hello();
  return {
    state: () => state,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    request: (body) => connection.request(body),
    select: (selection) => dispatch({ type: "select", selection }),
    dismiss: () => dispatch({ type: "dismiss" }),
    close: () => connection.close(),
  };
}
