// A line above a board or its picture: what has become of it, and the ways back.

export interface Way {
  label: string;
  hook: string;
  act: () => void;
}

/** Draws the line into `node`, in place of what is there. `code` is Python to be read and copied. */
export function drawBar(
  node: HTMLElement,
  words: string,
  ways: readonly Way[],
  code: string | null = null,
): void {
  const text = document.createElement("p");
  text.textContent = words;
  const row = document.createElement("div");
  row.className = "cb-lab-ways";
  for (const way of ways) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "cb-lab-button";
    button.dataset.cb = way.hook;
    button.textContent = way.label;
    button.addEventListener("click", (event) => {
      event.stopPropagation();
      way.act();
    });
    row.append(button);
  }
  node.replaceChildren(text, row);
  if (code !== null) {
    const block = document.createElement("pre");
    block.textContent = code;
    node.append(block);
  }
}
