// Runs an expression in a kernel and reads the one thing that it displays.
import { CancellationTokenSource } from "vscode";
import { ERROR_MIME, type Kernel } from "./api";

/** What the code raised in the kernel. */
export class KernelError extends Error {
  constructor(
    override readonly name: string,
    message: string,
  ) {
    super(message);
  }
}

/** The Jupyter extension would not run the code: the user refused, or the kernel is gone. */
export class NotRun extends Error {}

/**
 * Resolves to the JSON displayed under `mime`. It waits behind a running cell and is never cancelled,
 * because the Jupyter extension cancels by interrupting the kernel, and so the user's own cell.
 */
export async function runFor(kernel: Kernel, code: string, mime: string): Promise<unknown> {
  const decoder = new TextDecoder();
  const never = new CancellationTokenSource();
  let answer: unknown;
  try {
    for await (const output of kernel.executeCode(code, never.token)) {
      for (const item of output.items) {
        if (item.mime === mime) answer = JSON.parse(decoder.decode(item.data));
        if (item.mime === ERROR_MIME) {
          const error = JSON.parse(decoder.decode(item.data));
          throw new KernelError(String(error.name), String(error.message));
        }
      }
    }
  } catch (error) {
    if (error instanceof KernelError) throw error;
    throw new NotRun(error instanceof Error ? error.message : String(error));
  } finally {
    never.dispose();
  }
  if (answer === undefined)
    throw new NotRun("The kernel ran the question and displayed no answer.");
  return answer;
}
