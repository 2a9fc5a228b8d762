import { describe, expect, it } from "vitest";
import { changedMap, decodeMap } from "./decode_map";
import type { EffectMap, MapChange } from "./map";

const buffer = (array: ArrayBufferView): DataView => new DataView(array.buffer as ArrayBuffer);
const WHOLE = {
  kind: "map",
  seq: 4,
  map_id: 2,
  over: "head",
  shape: [2, 2],
  buffers: ["effect", "known", "stderr"],
  since: null,
};
const PART = { ...WHOLE, seq: 7, since: 4, buffers: ["cells", "effect", "known", "stderr"] };

function whole(): EffectMap {
  const found = decodeMap(WHOLE, [
    buffer(Float32Array.from([1, 2, 3, 4])),
    buffer(Uint8Array.from([1, 2, 0, 1])),
    buffer(Float32Array.from([0.1, Number.NaN, Number.NaN, 0.4])),
  ]);
  return { ...(found as EffectMap), before: Float32Array.from([9, 9, 9, 9]) };
}
const part = (cells: number[], change: object = {}): MapChange | EffectMap | null =>
  decodeMap({ ...PART, ...change }, [
    buffer(Uint32Array.from(cells)),
    buffer(Float32Array.from(cells, (cell) => 10 + cell)),
    buffer(Uint8Array.from(cells, () => 1)),
    buffer(Float32Array.from(cells, () => 0.5)),
  ]);

describe("a change of a map", () => {
  it("is of its cells alone", () => {
    const last = whole();
    const map = changedMap(last, part([1, 2]) as MapChange);
    expect([...(map?.effect ?? [])]).toEqual([1, 11, 12, 4]);
    expect([...(map?.known ?? [])]).toEqual([1, 1, 1, 1]);
    expect(map?.stderr).toEqual(Float32Array.from([0.1, 0.5, 0.5, 0.4]));
    expect(map?.before).toBe(last.before);
    expect(map?.seq).toBe(7);
    expect([...last.effect]).toEqual([1, 2, 3, 4]);
    expect(map).not.toHaveProperty("cells");
  });

  it("adds to no other event than the one it names, nor to another map", () => {
    expect(changedMap({ ...whole(), seq: 5 }, part([0]) as MapChange)).toBeNull();
    expect(changedMap({ ...whole(), map_id: 3 }, part([0]) as MapChange)).toBeNull();
    expect(changedMap(undefined, part([0]) as MapChange)).toBeNull();
  });

  it("to nothing leaves the other cells unknown", () => {
    const map = part([3], { since: null }) as EffectMap;
    expect([...map.effect]).toEqual([0, 0, 0, 13]);
    expect([...map.known]).toEqual([0, 0, 0, 1]);
    expect(map.stderr?.[0]).toBeNaN();
    expect(map.before).toBeNull();
  });

  it("of a cell that the map does not have is no message", () => {
    expect(part([4])).toBeNull();
  });
});
