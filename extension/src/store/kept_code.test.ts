import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Player } from "../../dev/player";
import { recorded } from "../../dev/recorded";
import { actionsOf } from "../panels/actions";
import { REST_MS } from "./kept_code";
import { createStore, type Store } from "./store";

let kernel: Player;
let store: Store;
function begin(mute: string[] = []): void {
  kernel = recorded("pair", mute);
  store = createStore(kernel);
}
const asked = (): number => kernel.received.filter(({ kind }) => kind === "copy_code").length;

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  store.close();
  vi.useRealTimers();
});

describe("the code of a state", () => {
  it("is fetched once the state rests, and once only", async () => {
    begin();
    const act = actionsOf(store);
    for (const site of ["9.9", "9.6", "5.5"]) {
      act.click(site, null);
      await vi.advanceTimersByTimeAsync(REST_MS / 2);
    }
    expect(asked()).toBe(0);
    await vi.advanceTimersByTimeAsync(REST_MS);
    expect(asked()).toBe(1);
    expect(store.state().code?.revision).toBe(3);
    kernel.again("map");
    await vi.advanceTimersByTimeAsync(10 * REST_MS);
    expect(asked()).toBe(1);
  });

  it("can be copied when the kernel is gone", async () => {
    begin();
    await vi.advanceTimersByTimeAsync(2 * REST_MS);
    kernel.emit("comm:close");
    const answer = await actionsOf(store).code();
    expect(answer).toMatchObject({ kind: "code", text: expect.stringContaining("cb.Board(") });
    expect(asked()).toBe(1);
  });

  it("that never comes is no sign that the kernel is gone, and no trouble", async () => {
    begin(["copy_code"]);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(asked()).toBe(1);
    expect(store.state()).toMatchObject({ connected: true, trouble: null, code: null });
  });

  it("of a kernel that began anew is not the old one's", async () => {
    begin();
    await vi.advanceTimersByTimeAsync(2 * REST_MS);
    kernel.emit("comm_live_update");
    expect(store.state().code).toBeNull();
    await vi.advanceTimersByTimeAsync(2 * REST_MS);
    expect(asked()).toBe(2);
  });
});
