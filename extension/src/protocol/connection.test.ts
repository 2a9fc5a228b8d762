import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { withState } from "../../dev/altered";
import { recorded } from "../../dev/recorded";
import { Connection, type ConnectionListener, SILENCE_BUSY_MS, SILENCE_MS } from "./connection";
import type { AnyRequest } from "./generated";

function listener() {
  return {
    sent: vi.fn(),
    settled: vi.fn(),
    welcome: vi.fn(),
    event: vi.fn(),
    failedAnywhere: vi.fn(),
    connected: vi.fn(),
  } satisfies ConnectionListener;
}

function open(mute: string[] = []) {
  const kernel = recorded("pair", mute);
  const heard = listener();
  const connection = new Connection(kernel, heard);
  return { kernel, heard, connection };
}

const kinds = (requests: readonly AnyRequest[]): string[] => requests.map(({ kind }) => kind);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("requests", () => {
  it("have ids of their own and resolve with their answer", async () => {
    const { kernel, connection } = open();
    connection.hello();
    const a = connection.request({ kind: "click", site: "9.9", positions: null });
    const b = connection.request({ kind: "copy_code" });
    expect((await a).kind).toBe("done");
    expect((await b).kind).toBe("code");
    expect(new Set(kernel.received.map(({ id }) => id)).size).toBe(3);
  });

  it("of two views never share an id", () => {
    const a = open();
    const b = open();
    a.connection.hello();
    b.connection.hello();
    expect(a.kernel.received[0]?.id).not.toBe(b.kernel.received[0]?.id);
  });

  it("settle once, however many answers come", async () => {
    const { kernel, heard, connection } = open(["undo"]);
    const answer = connection.request({ kind: "undo" });
    const id = kernel.received[0]?.id;
    kernel.post({ kind: "done", id, revision: 1 });
    kernel.post({ kind: "failed", id, error: { code: "x", message: "late", where: null } });
    expect((await answer).kind).toBe("done");
    expect(heard.settled).toHaveBeenCalledTimes(1);
  });

  it("are not settled by answers to another view's", () => {
    const { kernel, heard, connection } = open(["undo"]);
    void connection.request({ kind: "undo" });
    kernel.post({ kind: "done", id: "somebody-else-1", revision: 1 });
    expect(heard.settled).not.toHaveBeenCalled();
  });

  it("are lost, not left hanging, when the channel throws", async () => {
    const { kernel, heard, connection } = open();
    kernel.send = () => {
      throw new Error("comm is closed");
    };
    expect((await connection.request({ kind: "undo" })).kind).toBe("lost");
    expect(heard.connected).toHaveBeenCalledWith(false);
  });

  it("are lost when the view is closed, and nothing listens any more", async () => {
    const { kernel, connection } = open(["undo"]);
    const answer = connection.request({ kind: "undo" });
    connection.close();
    expect((await answer).kind).toBe("lost");
    expect(kernel.listening()).toBe(0);
  });
});

describe("silence", () => {
  it("means disconnected after ten seconds, while an answer is owed", async () => {
    const { heard, connection } = open(["undo"]);
    const answer = connection.request({ kind: "undo" });
    vi.advanceTimersByTime(SILENCE_MS - 1);
    expect(heard.connected).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(heard.connected).toHaveBeenLastCalledWith(false);
    expect((await answer).kind).toBe("lost");
  });

  it("means nothing when no answer is owed", () => {
    const { heard, connection } = open();
    connection.hello();
    vi.advanceTimersByTime(10 * SILENCE_MS);
    expect(heard.connected).not.toHaveBeenCalled();
  });

  it("counts from the last message of any kind", () => {
    const { kernel, heard, connection } = open(["undo"]);
    connection.hello();
    void connection.request({ kind: "undo" });
    vi.advanceTimersByTime(SILENCE_MS - 1);
    kernel.again("snapshot");
    vi.advanceTimersByTime(SILENCE_MS - 1);
    expect(heard.connected).not.toHaveBeenCalled();
  });

  it("may last longer once the kernel has said that it computes", () => {
    const { kernel, heard, connection } = open(["undo"]);
    connection.hello();
    void connection.request({ kind: "undo" });
    kernel.seq += 1;
    kernel.post({ kind: "busy", seq: kernel.seq, what: "zero 9.9" });
    vi.advanceTimersByTime(SILENCE_BUSY_MS - 1);
    expect(heard.connected).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(heard.connected).toHaveBeenLastCalledWith(false);
  });

  it("ends with any message, and the panel starts afresh", () => {
    const { kernel, heard, connection } = open(["undo"]);
    connection.hello();
    void connection.request({ kind: "undo" });
    vi.advanceTimersByTime(SILENCE_MS);
    kernel.again("snapshot");
    expect(heard.connected).toHaveBeenLastCalledWith(true);
    expect(kinds(kernel.received)).toEqual(["hello", "undo", "hello"]);
    expect(heard.welcome).toHaveBeenCalledTimes(2);
  });

  it("is not waited for when the comm is closed", () => {
    const { kernel, heard, connection } = open();
    connection.hello();
    kernel.emit("comm:close");
    expect(heard.connected).toHaveBeenLastCalledWith(false, true);
  });

  it("is tested when the host says that the line changed", () => {
    const { kernel, heard, connection } = open();
    connection.hello();
    kernel.emit("comm_live_update");
    expect(heard.connected.mock.calls).toEqual([[false], [true]]);
  });
});

describe("event numbers", () => {
  it("before the welcome are nothing to draw", () => {
    const { kernel, heard } = open();
    kernel.again("snapshot");
    expect(heard.event).not.toHaveBeenCalled();
  });

  it("that are old are ignored", () => {
    const { kernel, heard, connection } = open();
    connection.hello();
    heard.event.mockClear();
    kernel.post({ kind: "snapshot", seq: kernel.seq, snapshot: kernel.snapshot });
    kernel.post({ kind: "snapshot", seq: 0, snapshot: kernel.snapshot });
    expect(heard.event).not.toHaveBeenCalled();
  });

  it("with a gap make the view ask for everything, once", () => {
    const { kernel, connection } = open();
    connection.hello();
    kernel.again("snapshot");
    expect(kinds(kernel.received)).toEqual(["hello"]);
    kernel.seq += 1;
    kernel.again("snapshot");
    expect(kinds(kernel.received)).toEqual(["hello", "hello"]);
    kernel.again("snapshot");
    expect(kinds(kernel.received)).toEqual(["hello", "hello"]);
  });

  it("of a welcome that was overtaken make the view ask again", () => {
    const { kernel, heard, connection } = open(["hello"]);
    connection.hello();
    const welcome = (seq: number) =>
      kernel.post({
        kind: "welcome",
        id: kernel.received.at(-1)?.id,
        seq,
        setup: kernel.setup,
        snapshot: kernel.snapshot,
      });
    welcome(5);
    kernel.post({ kind: "snapshot", seq: 9, snapshot: kernel.snapshot });
    welcome(8);
    expect(heard.welcome).toHaveBeenCalledTimes(1);
    welcome(9);
    expect(heard.welcome).toHaveBeenCalledTimes(2);
    expect(kinds(kernel.received)).toEqual(["hello", "hello", "hello"]);
  });

  it("survive every loss and disorder: each k-th event dropped, the last one arriving", () => {
    for (let k = 2; k < 7; k += 1) {
      const { kernel, heard, connection } = open();
      connection.hello();
      const post = kernel.post.bind(kernel);
      let n = 0;
      kernel.post = (content: object, buffers) => {
        n += 1;
        if (n % k !== 0 || "id" in content) post(content, buffers);
      };
      for (let i = 0; i < 40; i += 1) {
        kernel.again(
          "snapshot",
          withState(() => ({ revision: i + 1 })),
        );
      }
      n = 0;
      kernel.again("snapshot");
      const drawn = [
        ...heard.event.mock.calls.map(([message]) => message.snapshot?.revision ?? 0),
        ...heard.welcome.mock.calls.map(([message]) => message.snapshot.revision),
      ];
      expect(Math.max(...drawn)).toBe(40);
    }
  });
});
