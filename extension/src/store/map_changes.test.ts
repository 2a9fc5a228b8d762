// A map that comes in changes, through a line that loses some of them.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { FakeKernel } from "../../dev/fake_kernel";
import { fillIn } from "../../dev/filling";
import { EXACT } from "../protocol/decode";
import { createStore, type Store } from "./store";

let kernel: FakeKernel;
let store: Store;
beforeEach(() => {
  vi.useFakeTimers();
  kernel = new FakeKernel({ layers: 6, heads: 8 });
  store = createStore(kernel);
});
afterEach(() => {
  store.close();
  vi.useRealTimers();
});

/** Let nothing through for which `lost` is true. */
function lose(lost: (count: number) => boolean): void {
  const emit = kernel.emit.bind(kernel);
  let count = 0;
  kernel.emit = (name, ...args) => {
    const [content] = args as { kind?: string; since?: number | null }[];
    if (name === "msg:custom" && content?.kind === "map" && typeof content.since === "number") {
      count += 1;
      if (lost(count)) return;
    }
    emit(name, ...args);
  };
}

const exact = (): number =>
  store.state().maps.head?.known.reduce((n, known) => n + (known === EXACT ? 1 : 0), 0) ?? -1;
const hellos = (): number => kernel.received.filter(({ kind }) => kind === "hello").length;

it("fills in cell by cell", () => {
  fillIn(kernel, 7, 20);
  vi.advanceTimersByTime(50);
  expect(exact()).toBe(7);
  vi.advanceTimersByTime(50);
  expect(exact()).toBe(14);
  expect(store.state().maps.head?.status).toBe("computing");
  vi.advanceTimersByTime(250);
  expect(exact()).toBe(48);
  expect(store.state().maps.head?.effect[9]).toBeCloseTo(kernel.headEffect(1, 1));
  expect(hellos()).toBe(1);
});

it.each([2, 3, 5])("is asked for anew when every %ith change is lost, and never half", (k) => {
  lose((count) => count % k === 0);
  fillIn(kernel, 7, 20);
  for (let i = 0; i < 6; i += 1) {
    vi.advanceTimersByTime(50);
    // What is drawn is either all of an event or what was there before it.
    const { effect, known } = store.state().maps.head ?? {};
    known?.forEach((kind, cell) => {
      if (kind === EXACT)
        expect(effect?.[cell]).toBeCloseTo(kernel.headEffect(Math.floor(cell / 8), cell % 8), 5);
    });
  }
  vi.advanceTimersByTime(100);
  expect(hellos()).toBeGreaterThan(1);
  expect(exact()).toBeGreaterThanOrEqual(7);
});
