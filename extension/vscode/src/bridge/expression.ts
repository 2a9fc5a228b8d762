// The question to the kernel as Python: what VS Code can send it is code.
import { type Ask, BRIDGE_MODULE } from "../../../src/protocol/generated";

/** One expression without a name of its own, so that nothing is left in the user's namespace. */
export function expression(ask: Ask): string {
  const text = JSON.stringify(JSON.stringify(ask));
  return `__import__("${BRIDGE_MODULE}", fromlist=["exchange"]).exchange(${text})`;
}
