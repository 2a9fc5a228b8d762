// The two sides of kernel_side/circuitboard/widget/bridge.py, as this side sees them.

export const BRIDGE = "application/vnd.circuitboard.bridge+json";

export interface Ask {
  what: "attach" | "exchange" | "detach" | "bundle" | "reload";
  line?: string;
  since?: number;
  wait_s?: number;
  requests?: unknown[];
  saved?: string;
}

/** A message of the panel's protocol, with its buffers in base64. */
export interface Sent {
  number: number;
  content: Record<string, unknown>;
  buffers: string[];
}

export interface Told {
  process: string;
  state: "open" | "no_board" | "gone" | "bundle" | "reload";
  line?: string;
  newest?: boolean;
  messages?: Sent[];
  script?: string;
  style?: string;
  /** The file that the board is kept in; empty until it is. */
  saved?: string;
  /** Of a kept board: whether `code` loads it as things are, and what there is to say. */
  possible?: boolean;
  words?: string;
  code?: string;
}

/** One expression without a name of its own, so that nothing is left in the user's namespace. */
export function expression(ask: Ask): string {
  const text = JSON.stringify(JSON.stringify(ask));
  return `__import__("circuitboard.widget.bridge", fromlist=["exchange"]).exchange(${text})`;
}
