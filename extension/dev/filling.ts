// A map that fills in as a kernel's does: so many changes a second, each with the next cells by size.
import { EXACT } from "../src/protocol/decode";
import type { MapEvent } from "../src/protocol/generated";

type Sent = MapEvent & { kind: "map" };

interface Line {
  seq: number;
  on(name: "msg:custom", callback: (content: { kind: string }, buffers: DataView[]) => void): void;
  post(content: object, buffers: DataView[]): void;
}

/** Fill in the map that `begin` sends, `cells` at a time, `rate` times a second; over and over again. */
export function fillIn(kernel: Line, begin: () => void, cells: number, rate: number): void {
  let last: Sent | null = null;
  let effects = new Float32Array();
  kernel.on("msg:custom", (content: { kind: string }, buffers: DataView[]) => {
    if (content.kind !== "map") return;
    last = content as Sent;
    const [effect] = buffers;
    if (last.buffers[0] !== "cells" && effect !== undefined)
      effects = Float32Array.from(new Float32Array(effect.buffer));
  });
  begin();
  const order = [...effects.keys()].sort(
    (a, b) => Math.abs(effects[b] ?? 0) - Math.abs(effects[a] ?? 0),
  );
  let done = 0;
  let map_id = (last as Sent | null)?.map_id ?? 0;
  setInterval(() => {
    if (last === null) return;
    const anew = done === 0;
    if (anew) map_id += 1;
    const next = Uint32Array.from(order.slice(done, done + cells));
    done += next.length;
    const status = done >= order.length ? "done" : "computing";
    kernel.seq += 1;
    const event: Sent = {
      ...last,
      seq: kernel.seq,
      map_id,
      since: anew ? null : last.seq,
      done,
      status,
      buffers: ["cells", "effect", "known"],
    };
    const buffers = [
      next,
      Float32Array.from(next, (i) => effects[i] ?? 0),
      new Uint8Array(next.length).fill(EXACT),
    ].map(({ buffer }) => new DataView(buffer as ArrayBuffer));
    if (status === "done") done = 0;
    kernel.post(event, buffers);
  }, 1000 / rate);
}
