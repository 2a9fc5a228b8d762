// Runs that are not as long: where a token stands alone, it is told by itself.
import { afterEach, describe, expect, it } from "vitest";
import { withSetup } from "../../../dev/altered";
import type { TokenColumn } from "../../protocol/generated";
import { type Mounted, mounted } from "../board/mounted";
import { columnToken, firstDifference, lacking } from "./column_token";

function column(
  clean: string,
  corrupted: string | null,
  rest: Partial<TokenColumn> = {},
): TokenColumn {
  return {
    clean,
    corrupted,
    differs: clean !== corrupted,
    labels: [],
    padding: false,
    clean_id: null,
    corrupted_id: null,
    ...rest,
  };
}

describe("a column of the prompts", () => {
  it("lacks a token where one run is shorter, and nowhere else", () => {
    expect(lacking(column("", "When"))).toBe("clean");
    expect(lacking(column("When", ""))).toBe("corrupted");
    expect(lacking(column("When", "When"))).toBeNull();
    expect(lacking(column("When", null))).toBeNull();
    expect(lacking(column("", "", { padding: true }))).toBeNull();
    // A token whose name is empty is a token.
    expect(lacking(column("", "When", { clean_id: 3 }))).toBeNull();
  });

  it("goes by the clean token, or by the one that stands alone", () => {
    expect(columnToken(column("a", "b", { clean_id: 1, corrupted_id: 2 }))).toEqual({
      text: "a",
      id: 1,
    });
    expect(columnToken(column("", "b", { corrupted_id: 2 }))).toEqual({ text: "b", id: 2 });
  });

  it("is the first difference only where the runs can be compared", () => {
    const row = (columns: TokenColumn[]) => ({ columns, answer: ["a"], wrong: null });
    const ends = [column("a", "b"), column("c", "d", { labels: ["S2"] })];
    expect(firstDifference(row(ends))).toBe(0);
    expect(firstDifference(row([column("", "x"), ...ends]))).toBe(2);
    expect(firstDifference(row([column("", "x"), column("a", "b")]))).toBe(-1);
  });
});

describe("the strip of runs that are not as long", () => {
  let panel: Mounted;
  afterEach(() => panel.unmount());

  it("draws and says no token where there is none", async () => {
    const columns = [
      column("", "When", { corrupted_id: 1 }),
      column("When", " Simon"),
      column(" Simon", " Laura", { labels: ["S2"] }),
    ];
    const alter = withSetup(({ prompts: [row] }) => ({
      n_positions: 3,
      prompts: row === undefined ? [] : [{ ...row, columns }],
    }));
    panel = await mounted("pair", { alter });
    const [alone, both] = panel.all("token");
    expect(alone?.getAttribute("aria-label")).toBe("position 0: When, no clean token");
    expect(both?.getAttribute("aria-label")).toBe(
      "position 1: When, \u00b7Simon, clean and corrupted differ",
    );
    expect(alone?.querySelector(".cb-tok-clean")).toBeNull();
    expect(both?.querySelector(".cb-tok-clean")?.textContent).toBe("When");
    expect(panel.all("first-click").map(({ textContent }) => textContent)).toContain("S2");
  });
});
