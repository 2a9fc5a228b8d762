// What the extension and its web view say to each other. The panel's own messages travel inside.
import type { Sent } from "../../../src/protocol/generated";

export interface Status {
  kind: "status";
  /** Empty when there is nothing to say. */
  text: string;
  /** The label of the button that helps. */
  action: string | null;
  /** Whether the board that is drawn can still be used. */
  usable: boolean;
}

export type ToView =
  /** Whose notebook it is, for VS Code to remember when its window is loaded again. */
  | { kind: "notebook"; notebook: string }
  | { kind: "bundle"; script: string; style: string }
  | { kind: "opened" }
  | { kind: "messages"; messages: readonly Sent[] }
  | Status;

export type FromView =
  | { kind: "ready" }
  | { kind: "send"; content: unknown }
  | { kind: "action" }
  | { kind: "save"; name: string; data: string };
