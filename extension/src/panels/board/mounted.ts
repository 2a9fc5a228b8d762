// A panel in a DOM, for tests.
import { drawn } from "../../../dev/clock";
import { FakeKernel } from "../../../dev/fake_kernel";
import type { FakeOptions } from "../../../dev/fake_options";
import type { AnyRequest } from "../../protocol/generated";
import widget from "../../widget";

export { drawn };

export interface Mounted<K = FakeKernel> {
  kernel: K;
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

export function mounted(options: Partial<FakeOptions> = {}): Promise<Mounted> {
  return mountedOn(new FakeKernel(options));
}

export async function mountedOn<K extends { received: AnyRequest[] }>(
  kernel: K,
): Promise<Mounted<K>> {
  document.body.dataset.jpThemeLight = "true";
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
