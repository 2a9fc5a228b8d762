import { describe, expect, it } from "vitest";
import { addressOf, cellSiteOf, pythonOf } from "./cell_site";

function cell(data: Record<string, string>): HTMLElement {
  const element = document.createElement("button");
  Object.assign(element.dataset, data);
  const inner = document.createElement("span");
  element.append(inner);
  return inner;
}

describe("a drawn cell", () => {
  it.each([
    [{ cb: "head", layer: "9", head: "6" }, "9.6", null],
    [{ cb: "cell", site: "head_pos", layer: "9", head: "6", pos: "4" }, "9.6", 4],
    [{ cb: "cell", site: "resid_pre", layer: "5", pos: "10" }, "resid_pre 5", 10],
    [{ cb: "cell", site: "neuron", layer: "3", index: "141" }, "neuron 3.141", null],
    [{ cb: "neuron", layer: "3", index: "141" }, "neuron 3.141", null],
  ])("%o is %s", (data, site, position) => {
    expect(cellSiteOf(cell(data as unknown as Record<string, string>))).toEqual({ site, position });
  });

  it("that holds nothing yet is none", () => {
    expect(cellSiteOf(cell({ cb: "cell", site: "neuron", layer: "3", index: "-1" }))).toBeNull();
    expect(cellSiteOf(cell({ cb: "token", pos: "3" }))).toBeNull();
    expect(cellSiteOf(null)).toBeNull();
  });

  it("has an address and a line of Python", () => {
    expect(addressOf("9.6", null)).toBe("9.6");
    expect(addressOf("9.6", [3, 4])).toBe("9.6 @ 3, 4");
    expect(pythonOf("9.6", null, "zero")).toBe("board.edit(cb.head(9, 6).zero())");
    expect(pythonOf("resid_pre 5", [10], "patch")).toBe(
      "board.edit(cb.resid_pre(5).at(10).patch())",
    );
    expect(pythonOf("neuron 3.141", [1, 2], "mean")).toBe(
      "board.edit(cb.neuron(3, 141).at([1, 2]).mean())",
    );
  });
});
