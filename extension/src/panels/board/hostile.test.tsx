// Prompts, tokens, labels and names are data: whatever they hold, they make no element.

import { afterEach, describe, expect, it } from "vitest";
import { both, withSetup, withState, withTokens } from "../../../dev/altered";
import { drawn, until } from "../../../dev/clock";
import { type Alter, AS_RECORDED, type Player } from "../../../dev/player";
import { type BoardName, recorded } from "../../../dev/recorded";
import widget from "../../widget";

let unmount: () => void = () => undefined;
let root: HTMLElement;

const all = (name: string): HTMLElement[] => [
  ...root.querySelectorAll<HTMLElement>(`[data-cb="${name}"]`),
];

async function mount(
  board: BoardName = "pair",
  alter: Alter = AS_RECORDED,
  mute: string[] = [],
): Promise<Player> {
  const kernel = recorded(board, mute);
  kernel.alter = alter;
  root = document.createElement("div");
  document.body.append(root);
  unmount = widget.render({ model: kernel as never, el: root });
  await drawn();
  kernel.received.length = 0;
  return kernel;
}

afterEach(() => {
  unmount();
  root.remove();
});

describe("hostile text", () => {
  const HOSTILE = [
    "<script>window.pwned = 1</script>",
    '<img src=x onerror="window.pwned = 1">',
    "</textarea><b>out</b>",
    '<svg onload="window.pwned = 1"></svg>',
    "\u202egnp.exe\u2066",
    "a\u0000b",
    "x".repeat(1_000_000),
    '" onclick="window.pwned = 1',
    "\n\t\r",
  ];

  /** All tokens and labels are other words, one after the other. */
  const tokens = (
    made: (text: string) => [clean: string, corrupted: string, label: string],
  ): Alter => {
    const at = (i: number) => made(HOSTILE[i % HOSTILE.length] ?? "");
    return both(
      withTokens((i) => at(i)[0]),
      withSetup(({ prompts }) => ({
        prompts: prompts.map((row) => ({
          ...row,
          columns: row.columns.map((column, i) => {
            const [clean, corrupted, label] = at(i);
            return { ...column, clean, corrupted, labels: [label], differs: clean !== corrupted };
          }),
        })),
      })),
    );
  };

  it("makes no element and no attribute, anywhere", async () => {
    // The tour is offered once a page, which would be a difference.
    localStorage.setItem("circuitboard.tour", "seen");
    await mount();
    const elements = (): string[] =>
      [...root.querySelectorAll("*")].map((element) => element.tagName).sort();
    unmount();
    root.remove();
    // What comes a moment later, by a timer, is there in both.
    const rested = (): Promise<void> => drawn(300);
    await mount(
      "pair",
      tokens(() => ["a", "b", "c"]),
    );
    await rested();
    const calm = elements();
    unmount();
    root.remove();
    const kernel = await mount(
      "pair",
      both(
        tokens((text) => [text, text.slice(1), text]),
        withSetup(() => ({ model: HOSTILE[1] ?? "" })),
      ),
    );
    await rested();
    // A label is drawn as it is, a token with a leading space gets a dot: neither makes anything else.
    expect(elements().filter((tag) => !["BDI", "SPAN"].includes(tag))).toEqual(
      calm.filter((tag) => !["BDI", "SPAN"].includes(tag)),
    );
    expect(
      root.querySelectorAll("script, img, b b, iframe, [onclick], [onload], [onerror]"),
    ).toHaveLength(0);
    expect((window as { pwned?: number }).pwned).toBeUndefined();
    expect(root.textContent).not.toMatch(/[\u202e\u2066\p{Cc}]/u);
    expect((root.textContent ?? "").length).toBeLessThan(20_000);
    kernel.post({
      kind: "failed",
      id: "x",
      error: { code: HOSTILE[0], message: HOSTILE[1], where: null },
    });
  });

  it("in the table by prompt, in metrics and in edits is text", async () => {
    const kernel = await mount(
      "dataset",
      both(
        tokens((text) => [text, text.slice(1), "c"]),
        withState(({ metric, edits }) => ({
          more_metrics: HOSTILE.map((name) => ({ ...metric, name, unit: "nats" })),
          edits: edits.map((edit, i) => ({
            ...edit,
            what: `freeze 9.6 @ ${HOSTILE[i]}`,
            at: HOSTILE[i] ?? "",
          })),
        })),
      ),
    );
    kernel.send({
      kind: "apply",
      id: "elsewhere",
      edits: [10, 11, 12, 13, 14].map((at) => ({ site: `9.6 @ ${at}`, how: "freeze" as const })),
    });
    await drawn();
    all("per-prompt")[0]?.click();
    await drawn();
    expect(all("prompt-row")).toHaveLength(4);
    expect(all("more-metric")).toHaveLength(HOSTILE.length);
    expect(all("edit")).toHaveLength(5);
    expect(root.querySelectorAll("script, img, b b, iframe, [onclick], [onload]")).toHaveLength(0);
    expect((window as { pwned?: number }).pwned).toBeUndefined();
    expect(root.textContent).not.toMatch(/[\u202e\u2066\p{Cc}]/u);
    expect((root.textContent ?? "").length).toBeLessThan(20_000);
  });

  it("in the history, in a detail and in a refused part is text", async () => {
    await mount(
      "pair",
      both(
        tokens((text) => [text, text.slice(1), "c"]),
        withState(({ history }) => ({
          history: {
            ...history,
            nodes: HOSTILE.slice(0, 6).flatMap((label, id) =>
              history.nodes.map((node) => ({
                ...node,
                id,
                parent: id === 0 ? null : id - 1,
                label,
              })),
            ),
          },
        })),
      ),
    );
    const settled = (site: string): Promise<void> =>
      until(() => expect(all("detail")[0]?.dataset).toMatchObject({ site, status: "shown" }));
    const look = (selector: string): void => {
      root
        .querySelector(selector)
        ?.dispatchEvent(new MouseEvent("click", { bubbles: true, shiftKey: true }));
    };
    await drawn();
    expect(all("history-node")).toHaveLength(6);
    look('[data-cb="head"]');
    await settled("0.0");
    expect(all("pattern")).toHaveLength(1);
    expect(root.querySelectorAll("script, img, b b, iframe, [onclick], [onload]")).toHaveLength(0);
    root.querySelector<HTMLElement>('[data-value="resid_pre"]')?.click();
    await drawn();
    look('[data-cb="cell"]');
    await settled("resid_pre 0");
    expect(all("lens"), "each layer, and the end").toHaveLength(13);
    expect(root.querySelectorAll("script, img, b b, iframe, [onclick], [onload]")).toHaveLength(0);
    expect((window as { pwned?: number }).pwned).toBeUndefined();
    expect(root.textContent).not.toMatch(/[\u202e\u2066\p{Cc}]/u);
    expect((root.textContent ?? "").length).toBeLessThan(20_000);
  });

  it("in errors is text", async () => {
    const kernel = await mount("pair", AS_RECORDED, ["click"]);
    root
      .querySelector('[data-cb="head"]')
      ?.dispatchEvent(new MouseEvent("click", { bubbles: true }));
    await drawn();
    const error = { code: "<i>", message: HOSTILE[1], where: null };
    kernel.post({ kind: "failed", id: kernel.received[0]?.id, error });
    await drawn();
    expect(all("banner")[0]?.textContent).toContain("<img src=x");
    expect(all("banner")[0]?.querySelector("img, i")).toBeNull();
  });
});
