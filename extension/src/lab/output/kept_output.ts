// A board's output follows the board: when the kernel sends it again, with the map that is known by now, it
// takes the place of the old one in the notebook's own model, so that what is saved is what is seen.
import type { NotebookPanel } from "@jupyterlab/notebook";
import { type Kernel, KernelMessage } from "@jupyterlab/services";
import { DISPLAY_PREFIX } from "../../protocol/generated";
import { boardBundle } from "./bundle";
import { replaceOutputs } from "./outputs";

export function followOutputs(notebook: NotebookPanel): void {
  const onMessage = (_: unknown, message: KernelMessage.IIOPubMessage): void => {
    if (!KernelMessage.isUpdateDisplayDataMsg(message)) return;
    const id = message.content.transient?.display_id;
    if (typeof id !== "string" || !id.startsWith(DISPLAY_PREFIX)) return;
    const bundle = boardBundle(message.content.data, message.content.metadata);
    if (bundle !== null && `${DISPLAY_PREFIX}${bundle.modelId}` === id) {
      replaceOutputs(notebook, bundle.modelId, bundle);
    }
  };
  let heard: Kernel.IKernelConnection | null = null;
  const hear = (): void => {
    heard?.iopubMessage.disconnect(onMessage);
    heard = notebook.sessionContext.session?.kernel ?? null;
    heard?.iopubMessage.connect(onMessage);
  };
  notebook.sessionContext.kernelChanged.connect(hear);
  notebook.disposed.connect(() => heard?.iopubMessage.disconnect(onMessage));
  hear();
}
