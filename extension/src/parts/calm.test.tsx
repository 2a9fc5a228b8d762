import { render } from "preact";
import { expect, it } from "vitest";
import { drawn } from "../../dev/clock";
import { CALM_MS, useCalm } from "./calm";

function Words({ words, passing }: { words: string; passing: boolean }) {
  return <p>{useCalm(words, passing)}</p>;
}

it("what is over soon goes unmentioned, what lasts is said, and its end at once", async () => {
  const root = document.createElement("div");
  const draw = (words: string, passing: boolean): void =>
    render(<Words {...{ words, passing }} />, root);
  draw("all exact", false);
  draw("3 of 4", true);
  await drawn(CALM_MS / 5);
  expect(root.textContent).toBe("all exact");
  draw("all exact, 30 ms", false);
  expect(root.textContent).toBe("all exact, 30 ms");
  draw("1 of 4", true);
  await drawn(CALM_MS * 2);
  expect(root.textContent).toBe("1 of 4");
  draw("2 of 4", true);
  expect(root.textContent).toBe("2 of 4");
});
