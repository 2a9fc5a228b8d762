// The page beside a notebook says what the kernel said, and draws nothing else of it. The panel's own messages are
// drawn by the panel: extension/src/panels/board/hostile.test.tsx.
import { expect, it } from "vitest";
import { until } from "../../dev/clock";
import { pageOf } from "../src/beside/page";

const HOSTILE = `H1H"'<i onx=1>&amp;</p></button><script>window.pwned = 1</script>`;

it("what the kernel said is text, in the line and on its button", async () => {
  const page = new DOMParser().parseFromString(pageOf({ nonce: "n", script: "s" }), "text/html");
  document.body.replaceChildren(...page.body.querySelectorAll("#status, main"));
  Object.assign(globalThis, {
    acquireVsCodeApi: () => ({ postMessage: () => undefined, setState: () => undefined }),
  });
  await import("../src/webview/main");
  const before = document.querySelectorAll("*").length;
  const data = { kind: "status", text: HOSTILE, action: HOSTILE, usable: true };
  window.dispatchEvent(new MessageEvent("message", { data }));
  await until(() => expect(document.querySelector("#status p")?.textContent).toBe(HOSTILE));
  expect(document.querySelector("#status button")?.textContent).toBe(HOSTILE);
  expect(document.querySelectorAll("*")).toHaveLength(before);
});
