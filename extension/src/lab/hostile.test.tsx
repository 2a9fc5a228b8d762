// What the form, the list of boards and the line above a board draw: each string that the kernel or the server sends is
// another hostile one here, and is there as text. The kernel's half is tests/security/test_hostile_wires.py.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Kernel } from "@jupyterlab/services";
import { type ComponentChild, render } from "preact";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { drawn, until } from "../../dev/clock";
import type { Boards, Checked, FormOptions, Offer } from "../protocol/generated";
import { drawBar } from "./bar";
import { NewBoard } from "./form/NewBoard";
import { SHIPPED } from "./settings";
import { Side } from "./side/Side";
import { groupsOf } from "./side/state";

const GOLDEN = join(
  dirname(fileURLToPath(import.meta.url)),
  "../../../tests/protocol/golden_wires",
);

/** Strings that choose among a few, and are compared and not drawn. */
const CHOICES = new Set(["field", "kind", "base", "state"]);

let count = 0;

/** An answer in which every other string is a hostile text of its own, and these texts by where they stand. */
function hostile<T>(name: string): { answer: T; texts: Map<string, string> } {
  const texts = new Map<string, string>();
  const walk = (value: unknown, at: string, key: string): unknown => {
    if (typeof value === "string" && !CHOICES.has(key)) {
      count += 1;
      const text = `H${count}H"'<i onx=1>&amp;</textarea></option></pre>`;
      texts.set(at, text);
      return text;
    }
    if (Array.isArray(value)) return value.map((one, i) => walk(one, `${at}.${i}`, key));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([own, one]) => [own, walk(one, at ? `${at}.${own}` : own, own)]),
    );
  };
  const golden = JSON.parse(readFileSync(join(GOLDEN, `${name}.json`), "utf8"));
  return { answer: walk(golden, "", "") as T, texts };
}

let root: HTMLElement;
beforeEach(() => {
  root = document.createElement("div");
  document.body.append(root);
});
afterEach(() => {
  render(null, root);
  root.remove();
});

async function draw(node: ComponentChild): Promise<void> {
  render(node, root);
  await drawn();
}

/** Nothing that a text would like to be is there; every text is, but for those at `silent`, which nobody reads. */
function holds(texts: ReadonlyMap<string, string>, silent: readonly string[] = []): void {
  const elements = [...root.querySelectorAll("*")];
  expect(root.querySelectorAll("i")).toHaveLength(0);
  const attributes = elements.flatMap((element) => [...element.attributes]);
  expect(attributes.filter(({ name }) => name.startsWith("on"))).toEqual([]);
  const said = [root.textContent, ...attributes.map(({ value }) => value)].join("\n");
  const missing = [...texts].filter(([, text]) => !said.includes(text)).map(([at]) => at);
  expect(missing.sort()).toEqual([...silent].sort());
}

function kernelWith(options: FormOptions, checked: Checked): Kernel.IKernelConnection {
  const requestExecute = ({ user_expressions }: { user_expressions: { answer: string } }) => {
    const value = user_expressions.answer.includes(".options(") ? options : checked;
    const answer = { status: "ok", data: { "application/json": value } };
    return { done: Promise.resolve({ content: { status: "ok", user_expressions: { answer } } }) };
  };
  return { id: "k", requestExecute } as never;
}

async function form(checked: Checked): Promise<ReadonlyMap<string, string>> {
  const { answer, texts } = hostile<FormOptions>("FormOptions");
  await draw(
    <NewBoard
      kernel={kernelWith(answer, checked)}
      defaults={SHIPPED}
      clean="When"
      notebook="n.ipynb"
      runCell={async () => true}
      onClose={() => undefined}
    />,
  );
  await until(() => root.querySelector('[data-cb="form"] select') !== null);
  await drawn(1000);
  return texts;
}

describe("hostile text from the kernel", () => {
  it.each(["Checked.ready", "Checked.wrong", "Checked.to_load"])(
    "%s makes no element",
    async (name) => {
      const { answer, texts } = hostile<Checked>(name);
      // A problem is told by its first line, a note's place by what its text says.
      const silent = [...texts.keys()].filter((at) =>
        /answers\.0\.tokens|problems\.0\.code|notes\.0\.where/.test(at),
      );
      await form(answer);
      holds(texts, silent);
    },
  );

  it("what the form offers makes no element", async () => {
    const texts = await form(hostile<Checked>("Checked.ready").answer);
    // Drawn when they are chosen: pairs of prompts, tasks and what they ask; and what a model does is not.
    holds(
      texts,
      [...texts.keys()].filter((at) => /\.does$|^tasks|variables\.pairs/.test(at)),
    );
    const source = root.querySelector<HTMLSelectElement>('select[name="source"]');
    for (const [chosen, silent] of [
      ["task", /\.does$|asks$|variables\.(pairs|texts)/],
      ["pair", /\.does$|^tasks|variables\.texts/],
    ] as const) {
      if (source === null) throw new Error("no source");
      source.value = chosen;
      source.dispatchEvent(new Event("change", { bubbles: true }));
      await drawn();
      holds(
        texts,
        [...texts.keys()].filter((at) => silent.test(at)),
      );
    }
  });

  it("a board's way back makes no element", () => {
    const { answer, texts } = hostile<Offer>("Offer.possible");
    drawBar(
      root,
      answer.words,
      [{ label: answer.words, hook: "back", act: () => undefined }],
      answer.code,
    );
    holds(texts);
  });
});

describe("hostile text from the server", () => {
  it("the list of boards makes no element", async () => {
    const { answer, texts } = hostile<Boards>("Boards");
    const name = `H99H"'<i onx=1>`;
    const [first] = answer.kernels;
    const listing = { kind: "boards", kernels: answer.kernels } as const;
    const groups = groupsOf(listing, [{ path: name, name, kernel: first?.kernel ?? "" }], null);
    const nothing = (): void => undefined;
    const acts = { onNew: nothing, onRetry: nothing, onOpen: nothing, onCell: nothing };
    const here = { kind: "failed", name, words: name } as const;
    await draw(<Side here={here} listing={listing} groups={groups} form={null} {...acts} />);
    // Which cell is where one is led.
    holds(
      new Map([...texts, ["notebook", name]]),
      [...texts.keys()].filter((at) => at.endsWith(".cell")),
    );
  });
});
