// What plays recordings to the other tests makes nothing up.
import { expect, it, vi } from "vitest";
import { Player } from "../../dev/player";
import type { Said } from "../../dev/recording";

const said = (content: object): Said[] => [
  { content: { kind: "welcome", ...content }, buffers: [] },
];
const recording = () => ({
  said: said({}),
  steps: { '{"kind":"undo"}': { said: said({ kind: "done" }) } },
});

it("throws, and fails the test, where something was not recorded", () => {
  const uncaught = vi.spyOn(globalThis, "queueMicrotask").mockImplementation(() => undefined);
  const player = new Player(recording());
  player.send({ kind: "undo", id: "a" });
  expect(() => player.send({ kind: "undo", id: "b" })).toThrow(
    'not recorded, see CONTRIBUTING.md: {"kind":"undo"} after {"kind":"undo"}',
  );
  expect(uncaught).toHaveBeenCalledOnce();
});

it("answers with the id of the request, whatever the order of its fields", () => {
  const asked: string[] = [];
  const player = new Player(recording(), [], (_, request) => {
    asked.push(request);
    return said({ kind: "done" });
  });
  const heard = vi.fn();
  player.on("msg:custom", heard);
  player.send({ id: "a", kind: "undo" });
  expect(heard.mock.calls[0]?.[0]).toEqual({ kind: "done", id: "a" });
  for (const drag of ["mine-7", "mine-7", "mine-8"])
    player.send({ strength: 2, kind: "set_strength", index: 0, revision: 1, drag, id: "b" });
  expect(asked.map((request) => JSON.parse(request).drag)).toEqual(["drag 0", "drag 0", "drag 1"]);
});
