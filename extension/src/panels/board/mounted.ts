// A panel in a DOM on a recording, for tests.
import { drawn } from "../../../dev/clock";
import { type Alter, AS_RECORDED, type Player } from "../../../dev/player";
import { type BoardName, recorded } from "../../../dev/recorded";
import type { AnyRequest } from "../../protocol/generated";
import widget from "../../widget";

export { drawn };

export interface Mounted {
  kernel: Player;
  root: HTMLElement;
  $(selector: string): HTMLElement;
  cb(name: string): HTMLElement;
  all(name: string): HTMLElement[];
  click(element: HTMLElement, more?: MouseEventInit): Promise<void>;
  press(element: HTMLElement, key: string, more?: KeyboardEventInit): Promise<void>;
  /** What has been asked for, without ids. */
  asked(): object[];
  unmount(): void;
}

export interface Otherwise {
  /** Kinds of requests that are never answered. */
  mute?: readonly AnyRequest["kind"][];
  alter?: Alter;
}

export async function mounted(
  board: BoardName = "pair",
  { mute = [], alter = AS_RECORDED }: Otherwise = {},
): Promise<Mounted> {
  document.body.dataset.jpThemeLight = "true";
  const kernel = recorded(board, mute);
  kernel.alter = alter;
  const root = document.createElement("div");
  document.body.append(root);
  const leave = widget.render({ model: kernel as never, el: root });
  await drawn();
  kernel.received.length = 0;
  const $ = (selector: string): HTMLElement => {
    const element = root.querySelector<HTMLElement>(selector);
    if (element === null) throw new Error(`nothing matches ${selector}`);
    return element;
  };
  return {
    kernel,
    root,
    $,
    cb: (name) => $(`[data-cb="${name}"]`),
    all: (name) => [...root.querySelectorAll<HTMLElement>(`[data-cb="${name}"]`)],
    async click(element, more = {}) {
      element.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, ...more }));
      await drawn();
    },
    async press(element, key, more = {}) {
      element.dispatchEvent(
        new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more }),
      );
      await drawn();
    },
    asked: () => kernel.received.map(({ id: _, ...body }: AnyRequest) => body),
    unmount() {
      leave();
      root.remove();
    },
  };
}
