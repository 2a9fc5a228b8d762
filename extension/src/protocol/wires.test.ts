// What travels beside the panel's messages: Python's golden files have the generated types, what front ends ask
// has Python's golden form, and no front end has a second definition of either.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { expression } from "../../vscode/src/bridge/expression";
import { questionOf } from "../../vscode/test/kernels";
import { requestOf, startValues } from "../lab/form/values";
import { boardBundle } from "../lab/output/bundle";
import { SHIPPED } from "../lab/settings";
import * as generated from "./generated";

const EXTENSION = join(__dirname, "../..");
const GOLDEN = join(EXTENSION, "../tests/protocol/golden_wires");
const GENERATED = join(__dirname, "generated.ts");

const text = (name: string): string => readFileSync(join(GOLDEN, `${name}.json`), "utf8");
const golden = (name: string): unknown => JSON.parse(text(name));
const names = readdirSync(GOLDEN).map((file) => file.replace(/\.json$/, ""));

/** What the compiler says of source text that imports the generated types. */
function complaints(source: string): string[] {
  const path = join(__dirname, "golden.wire.ts");
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    types: [],
    lib: ["lib.es2022.d.ts"],
    skipLibCheck: true,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    target: ts.ScriptTarget.ES2022,
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (name) => name === path || fileExists(name);
  host.getSourceFile = (name, version) =>
    name === path ? ts.createSourceFile(name, source, version) : getSourceFile(name, version);
  return ts
    .getPreEmitDiagnostics(ts.createProgram([path], options, host))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
}

/**
 * The fields of every interface and type literal in a file; a field with one literal value with that value. Two names
 * alone say little, so of two fields the types count too.
 */
function fieldsIn(path: string, source = readFileSync(path, "utf8")): string[] {
  const found: string[] = [];
  const look = (node: ts.Node): void => {
    if (ts.isInterfaceDeclaration(node) || ts.isTypeLiteralNode(node)) {
      const members = node.members.filter(ts.isPropertySignature);
      const fields = members.map((member) => {
        const value = members.length < 3 || (member.type && ts.isLiteralTypeNode(member.type));
        return member.name.getText() + (value ? `: ${member.type?.getText()}` : "");
      });
      if (fields.length > 1) found.push(fields.sort().join(", "));
    }
    ts.forEachChild(node, look);
  };
  look(ts.createSourceFile(path, source, ts.ScriptTarget.ES2022, true));
  return found;
}

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name) && !/\.test\.tsx?$/.test(name))
    .map((name) => join(folder, name));
}

const FRONT_ENDS = ["src/lab", "vscode/src"].flatMap((folder) => filesOf(join(EXTENSION, folder)));

describe("what Python sends and reads", () => {
  it("has the generated types", () => {
    const types = [...new Set(names.map((name) => name.split(".")[0]))];
    const consts = names.map(
      (name, n) => `export const wire${n}: ${name.split(".")[0]} = ${text(name)};`,
    );
    const imported = `import type { ${types.join(", ")} } from "./generated";`;
    expect(names.length).toBeGreaterThan(15);
    const wrong = text("Checked.wrong").replace('"field": "wrong"', '"field": "nothing"');
    consts.push(`export const wrong: Checked = ${wrong};`);
    expect(complaints([imported, ...consts].join("\n"))).toEqual([
      expect.stringContaining(`Type '"nothing"' is not assignable`),
    ]);
  });

  it("is what the form asks", () => {
    const defaults = {
      ...SHIPPED,
      metric: "log_prob",
      mode: "mean" as const,
      base: "corrupted" as const,
      live: false,
      updatesPerSecond: 10,
      colours: "purple-green" as const,
      memoryMb: 64,
    };
    const values = { ...startValues(defaults, "When"), corruptedVariable: "text", answer: " Mary" };
    // Python writes the defaults that a view may leave out.
    expect(golden("Form.typed")).toMatchObject(requestOf(values, defaults) as object);
  });

  it("is what VS Code asks", () => {
    for (const name of names.filter((one) => one.startsWith("Ask."))) {
      const ask = golden(name) as generated.Ask;
      expect(questionOf(expression(ask))).toEqual(ask);
    }
  });

  it("is what an output is known by", () => {
    const data = { [generated.BOARD_OUTPUT]: golden("BoardOutput.kept") } as object;
    expect(boardBundle(data, {})).toMatchObject({ modelId: "m1", saved: "notes-1.board.json" });
    const fresh = { [generated.BOARD_OUTPUT]: golden("BoardOutput.new") } as object;
    expect(boardBundle(fresh, {})).toMatchObject({ modelId: "m1", saved: null });
  });
});

describe("no front end defines again", () => {
  it("a type that Python defines", () => {
    const python = new Set(fieldsIn(GENERATED));
    const again = FRONT_ENDS.flatMap((path) =>
      fieldsIn(path).flatMap((fields) => (python.has(fields) ? [`${path}: ${fields}`] : [])),
    );
    expect(again).toEqual([]);
    const copy = "interface Mine { words: string; possible: boolean; code: string | null }";
    expect(python.has(fieldsIn("copy.ts", copy)[0] ?? "")).toBe(true);
  });

  it("a name that Python defines", () => {
    const constants = Object.values(generated).filter((value) => /[./]/.test(String(value)));
    expect(constants.length).toBeGreaterThan(8);
    const again = FRONT_ENDS.flatMap((path) => {
      const source = readFileSync(path, "utf8");
      return constants.flatMap((value) =>
        source.includes(String(value)) ? [`${path}: ${value}`] : [],
      );
    });
    expect(again).toEqual([]);
  });
});
