import { describe, expect, it } from "vitest";
import type { KernelBoards } from "../../protocol/generated";
import { groupsOf } from "./state";

const kernel = (id: string): KernelBoards => ({ kernel: id, boards: [], unreadable: 0, lost: 0 });
const sessions = [
  { path: "b.ipynb", name: "b.ipynb", kernel: "1" },
  { path: "a.ipynb", name: "a.ipynb", kernel: "2" },
];

describe("the boards by kernel", () => {
  it("begin with the notebook in front, then by name", () => {
    const kernels = ["1", "2", "3"].map(kernel);
    const groups = groupsOf({ kind: "boards", kernels }, sessions, "1");
    expect(groups.map(({ path, current }) => [path, current])).toEqual([
      ["b.ipynb", true],
      [null, false],
      ["a.ipynb", false],
    ]);
  });

  it("are none while nothing is known", () => {
    expect(groupsOf({ kind: "missing" }, sessions, null)).toEqual([]);
  });
});
