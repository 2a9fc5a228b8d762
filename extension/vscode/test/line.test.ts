// The host's half of a line, on a clock of the test's own.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Sent, Told } from "../../src/protocol/generated";
import { BoardLine, BUSY_MS, LATEST_MS, type LineState, RETRY_MS } from "../src/bridge/line";
import { kernelWith } from "./kernels";
import * as vscode from "./vscode";
import { type StubKernel, Uri, world } from "./vscode";

const NOTEBOOK = new Uri("/notebooks/a.ipynb") as unknown as import("vscode").Uri;

/** What the Python side does, in a few lines: answers each request, and tells what it is told to. */
class Side {
  process = "first";
  board = true;
  newest = true;
  saved = "";
  lines = new Set<string>();
  asked: Record<string, unknown>[] = [];
  waiting: Sent[] = [];
  count = 0;
  hold: Promise<void> | null = null;

  tell(content: Record<string, unknown>): void {
    this.count += 1;
    this.waiting.push({ number: this.count, content, buffers: [] });
  }

  answer = async (ask: Record<string, unknown>): Promise<Told> => {
    this.asked.push(ask);
    await this.hold;
    const { process } = this;
    if (ask.what === "bundle") return { process, state: "bundle", script: "js", style: "css" };
    if (ask.what === "attach") {
      if (!this.board) return { process, state: "no_board" };
      const line = `${process}-${this.asked.length}`;
      this.lines.add(line);
      return { process, state: "open", line };
    }
    const line = String(ask.line);
    if (ask.what === "detach") this.lines.delete(line);
    if (!this.lines.has(line)) return { process, state: "gone" };
    for (const request of ask.requests as { id: string }[]) {
      this.tell({ kind: "done", id: request.id });
    }
    const messages = this.waiting.filter(({ number }) => number > Number(ask.since));
    return { process, state: "open", line, newest: this.newest, saved: this.saved, messages };
  };

  restart(): void {
    this.process = "second";
    this.lines.clear();
    this.board = false;
    this.waiting = [];
    this.count = 0;
  }
}

let side: Side;
let kernel: StubKernel;
let states: LineState[];
let seen: unknown[];
let opened: number;
let bundles: string[][];
let line: BoardLine;

beforeEach(() => {
  vi.useFakeTimers();
  vscode.reset();
  side = new Side();
  kernel = kernelWith({}, side.answer);
  world.kernels.set(NOTEBOOK.toString(), kernel);
  states = [];
  seen = [];
  opened = 0;
  bundles = [];
  line = new BoardLine(NOTEBOOK, {
    state: (state) => states.push(state),
    bundle: (...bundle) => bundles.push(bundle),
    opened: () => {
      opened += 1;
      line.send({ kind: "hello", id: `hello-${opened}` });
    },
    messages: (messages) => seen.push(...messages.map(({ content }) => content.id)),
  });
  void line.run();
});

afterEach(() => {
  line.dispose();
  vi.useRealTimers();
});

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const exchanges = () => side.asked.filter(({ what }) => what === "exchange").length;

it("attaches, brings the bundle once, and carries requests and messages", async () => {
  await pass(100);
  expect(bundles).toEqual([["js", "css"]]);
  expect(opened).toBe(1);
  expect(states.at(-1)).toEqual({ kind: "open", newest: true });
  line.send({ kind: "click", id: "a" });
  line.send({ kind: "click", id: "b" });
  await pass(0);
  expect(seen).toEqual(["hello-1", "a", "b"]);
});

it("asks seldom while nothing happens, and at once when something is asked", async () => {
  await pass(10_000);
  const before = exchanges();
  await pass(10_000);
  expect(exchanges() - before).toBeLessThanOrEqual(10_000 / LATEST_MS + 1);
  line.send({ kind: "click", id: "a" });
  await pass(0);
  expect(seen).toContain("a");
});

it("hands each message on once, in order", async () => {
  await pass(500);
  for (const id of ["x", "y"]) side.tell({ kind: "done", id });
  await pass(LATEST_MS);
  side.tell({ kind: "done", id: "z" });
  await pass(LATEST_MS);
  expect(seen).toEqual(["hello-1", "x", "y", "z"]);
});

it("asks nothing while the panel is hidden, and catches up when it is seen", async () => {
  await pass(500);
  line.show(false);
  await pass(LATEST_MS);
  const before = exchanges();
  side.tell({ kind: "done", id: "meanwhile" });
  await pass(60_000);
  expect(exchanges()).toBe(before);
  line.show(true);
  await pass(10);
  expect(seen).toContain("meanwhile");
});

describe("when the kernel goes", () => {
  it.each(["restarting", "autorestarting", "dead", "terminating"] as const)(
    "%s is told at once",
    async (status) => {
      await pass(500);
      kernel.turn(status);
      expect(states.at(-1)).toEqual({ kind: "lost", status });
    },
  );

  it("a question that hangs in the old kernel is given up, and the new one is found", async () => {
    await pass(500);
    side.hold = new Promise(() => {});
    line.send({ kind: "click", id: "lost" });
    await pass(50);
    kernel.turn("restarting");
    side.hold = null;
    side.restart();
    kernel.turn("idle");
    await pass(RETRY_MS + 100);
    expect(states.at(-1)).toEqual({ kind: "no_board", restarted: true, saved: "" });
    side.board = true;
    await pass(RETRY_MS + 100);
    expect(opened).toBe(2);
    expect(seen).toContain("hello-2");
    expect(seen).not.toContain("lost");
    expect(bundles).toHaveLength(1);
  });

  it("without a word of it, the next answer of another process shows it within 2 s", async () => {
    await pass(10_000);
    side.restart();
    await pass(2_000);
    expect(states.at(-1)).toEqual({ kind: "no_board", restarted: true, saved: "" });
  });

  it("a kernel that is another object is watched instead of the old one", async () => {
    await pass(500);
    const next = kernelWith({}, side.answer);
    world.kernels.set(NOTEBOOK.toString(), next);
    kernel.turn("dead");
    side.restart();
    await pass(RETRY_MS + 100);
    expect(kernel.watched).toBe(0);
    expect(next.watched).toBe(1);
  });
});

it("remembers where the board of before a restart is kept", async () => {
  await pass(500);
  side.saved = "a-1.board.json";
  await pass(LATEST_MS);
  side.restart();
  await pass(2_000);
  expect(states.at(-1)).toEqual({ kind: "no_board", restarted: true, saved: "a-1.board.json" });
});

it("says that it waits behind a cell, and that it does no longer", async () => {
  await pass(500);
  let free = (): void => {};
  side.hold = new Promise((resolve) => {
    free = resolve;
  });
  line.send({ kind: "click", id: "a" });
  await pass(BUSY_MS + 10);
  expect(states.at(-1)).toEqual({ kind: "busy" });
  side.hold = null;
  free();
  await pass(10);
  expect(states.at(-1)).toEqual({ kind: "open", newest: true });
  expect(seen).toContain("a");
});

it("turns to a newer board when it is told to", async () => {
  await pass(500);
  side.newest = false;
  await pass(LATEST_MS);
  expect(states.at(-1)).toEqual({ kind: "open", newest: false });
  side.newest = true;
  line.turnToNewest();
  await pass(100);
  expect(opened).toBe(2);
  expect(side.lines.size).toBe(1);
  expect(states.at(-1)).toEqual({ kind: "open", newest: true });
});

it("says what is missing, and goes on as soon as it is there", async () => {
  line.dispose();
  world.kernels.clear();
  states = [];
  const late = new BoardLine(NOTEBOOK, {
    state: (state) => states.push(state),
    bundle: () => {},
    opened: () => {},
    messages: () => {},
  });
  void late.run();
  await pass(100);
  expect(states).toEqual([{ kind: "missing", missing: { kind: "kernel" } }]);
  world.kernels.set(NOTEBOOK.toString(), kernel);
  await pass(RETRY_MS + 100);
  expect(states.at(-1)).toEqual({ kind: "open", newest: true });
  late.dispose();
});

it("is taken off in the kernel when the panel is closed", async () => {
  await pass(500);
  expect(side.lines.size).toBe(1);
  line.dispose();
  await pass(LATEST_MS);
  expect(side.lines.size).toBe(0);
  expect(kernel.watched).toBe(0);
  const before = side.asked.length;
  await pass(60_000);
  expect(side.asked.length).toBe(before);
});
