import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ANNOUNCED_MS, useHeldBack } from "./announced";

let root: HTMLElement;
function Number_({ value }: { value: number }): preact.JSX.Element {
  return (
    <b aria-live="polite" aria-busy={useHeldBack(value)}>
      {value}
    </b>
  );
}
const show = (value: number): void => act(() => render(<Number_ value={value} />, root)) as never;
const busy = (): string | null | undefined => root.querySelector("b")?.getAttribute("aria-busy");

beforeEach(() => {
  vi.useFakeTimers();
  root = document.createElement("div");
});
afterEach(() => {
  render(null, root);
  vi.useRealTimers();
});

describe("a live region", () => {
  it("speaks one change at once and holds back what comes within the second", () => {
    show(1);
    show(2);
    expect(busy()).toBe("false");
    show(3);
    expect(busy()).toBe("true");
    act(() => void vi.advanceTimersByTime(ANNOUNCED_MS));
    expect(busy()).toBe("false");
    expect(root.textContent).toBe("3");
  });

  it("under a burst speaks once a second and ends with the last", () => {
    show(0);
    let spoken = 0;
    let before = busy();
    for (let i = 1; i <= 50; i += 1) {
      show(i);
      act(() => void vi.advanceTimersByTime(100));
      if (before === "true" && busy() === "false") spoken += 1;
      before = busy();
    }
    act(() => void vi.advanceTimersByTime(ANNOUNCED_MS));
    expect(spoken).toBeLessThanOrEqual(5);
    expect(busy()).toBe("false");
    expect(root.textContent).toBe("50");
  });
});
