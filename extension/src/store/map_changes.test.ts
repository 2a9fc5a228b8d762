// A map that comes in changes, through a line that loses some of them.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { fillIn } from "../../dev/filling";
import type { Player } from "../../dev/player";
import { recorded } from "../../dev/recorded";
import { EXACT } from "../protocol/decode";
import { createStore, type Store } from "./store";

let kernel: Player;
let effects: Float32Array;
let store: Store;
beforeEach(() => {
  vi.useFakeTimers();
  kernel = recorded("pair");
  store = createStore(kernel);
  effects = Float32Array.from(store.state().maps.head?.effect ?? []);
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
  fillIn(kernel, () => kernel.again("map"), 21, 20);
  vi.advanceTimersByTime(50);
  expect(exact()).toBe(21);
  vi.advanceTimersByTime(50);
  expect(exact()).toBe(42);
  expect(store.state().maps.head?.status).toBe("computing");
  vi.advanceTimersByTime(250);
  expect(exact()).toBe(144);
  expect(store.state().maps.head?.effect).toEqual(effects);
  expect(hellos()).toBe(1);
});

it.each([2, 3, 5])("is asked for anew when every %ith change is lost, and never half", (k) => {
  lose((count) => count % k === 0);
  fillIn(kernel, () => kernel.again("map"), 21, 20);
  for (let i = 0; i < 6; i += 1) {
    vi.advanceTimersByTime(50);
    // What is drawn is either all of an event or what was there before it.
    const { effect, known } = store.state().maps.head ?? {};
    known?.forEach((kind, cell) => {
      if (kind === EXACT) expect(effect?.[cell]).toBe(effects[cell]);
    });
  }
  vi.advanceTimersByTime(100);
  expect(hellos()).toBeGreaterThan(1);
  expect(exact()).toBeGreaterThanOrEqual(21);
});
