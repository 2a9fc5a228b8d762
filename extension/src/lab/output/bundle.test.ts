import { describe, expect, it } from "vitest";
import { BOARD_OUTPUT } from "../../protocol/generated";
import { boardBundle } from "./bundle";

describe("a board's bundle", () => {
  it("names its widget and the file that keeps it", () => {
    const data = { [BOARD_OUTPUT]: { model_id: "m", saved: "notes-1.board.json" } };
    expect(boardBundle(data, undefined)).toEqual({
      data,
      metadata: {},
      modelId: "m",
      saved: "notes-1.board.json",
    });
  });

  it("is none of another output", () => {
    expect(boardBundle({ "text/plain": "x" }, {})).toBeNull();
    expect(boardBundle(null, {})).toBeNull();
    expect(boardBundle({ [BOARD_OUTPUT]: { model_id: 3 } }, {})).toBeNull();
  });

  it("does not believe a name that is no file's", () => {
    for (const saved of ["../x.board.json", "x.json", 3, `${"x".repeat(300)}.board.json`]) {
      const data = { [BOARD_OUTPUT]: { model_id: "m", saved } } as object;
      expect(boardBundle(data, {})?.saved).toBeNull();
    }
  });
});
