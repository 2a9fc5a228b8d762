import { describe, expect, it } from "vitest";
import { GLOSSARY } from "./glossary";
import { PAPERS } from "./papers";

describe("the glossary", () => {
  const entries = Object.entries(GLOSSARY) as [string, { name: string; says: string }][];

  it.each(entries)("defines %s in one sentence", (_, { says }) => {
    expect(says).toMatch(/^[A-Z\u201c].*\.$/s);
    expect(says.replace(/\.$/, "")).not.toMatch(/[.!?] [A-Z]/);
    expect(says.length).toBeLessThan(180);
  });

  it("names no word twice, and no paper that is not cited", () => {
    const names = entries.map(([, { name }]) => name);
    expect(new Set(names).size).toBe(names.length);
    const cited = new Set(
      Object.values(GLOSSARY).flatMap((entry) => ("papers" in entry ? [...entry.papers] : [])),
    );
    expect([...cited].sort()).toEqual(Object.keys(PAPERS).sort());
  });
});
