// Questions to a kernel that leave no trace: no history, no name, no output. Arguments travel as JSON text
// in a string literal and stay data.
import type { Kernel } from "@jupyterlab/services";

export type Answer<T> = { kind: "answer"; value: T } | { kind: "failed"; words: string };

/**
 * Calls `function` of a module of ours with one argument, as JSON text, and takes back the JSON that it
 * returns. It waits behind a running cell, as any execution does, and is rejected if the kernel goes away.
 */
export async function ask<T>(
  kernel: Kernel.IKernelConnection,
  module: string,
  name: string,
  argument?: unknown,
): Promise<Answer<T>> {
  // A JSON string of ASCII escapes is a Python string literal too.
  const given = argument === undefined ? "" : JSON.stringify(JSON.stringify(argument));
  const called = `__import__("${module}", fromlist=["${name}"]).${name}(${given})`;
  return evaluate<T>(kernel, `__import__("IPython.display", fromlist=["JSON"]).JSON(${called})`);
}

/** Whether a kernel's Python has the package; nothing is imported for it. */
export async function hasPackage(kernel: Kernel.IKernelConnection): Promise<Answer<boolean>> {
  const answer = await evaluate<{ found: boolean }>(
    kernel,
    '__import__("IPython.display", fromlist=["JSON"]).JSON({"found": ' +
      '__import__("importlib.util", fromlist=["find_spec"]).find_spec("circuitboard") is not None})',
  );
  return answer.kind === "answer" ? { kind: "answer", value: answer.value.found } : answer;
}

async function evaluate<T>(
  kernel: Kernel.IKernelConnection,
  expression: string,
): Promise<Answer<T>> {
  const future = kernel.requestExecute({
    code: "",
    silent: true,
    store_history: false,
    allow_stdin: false,
    stop_on_error: false,
    user_expressions: { answer: expression },
  });
  const reply = await future.done;
  if (reply.content.status !== "ok") {
    return { kind: "failed", words: "The kernel dropped the question; ask again." };
  }
  const answer = reply.content.user_expressions?.answer as
    | { status: string; data?: Record<string, unknown>; ename?: string; evalue?: string }
    | undefined;
  if (answer?.status === "ok" && answer.data?.["application/json"] !== undefined) {
    return { kind: "answer", value: answer.data["application/json"] as T };
  }
  return { kind: "failed", words: [answer?.ename, answer?.evalue].filter(Boolean).join(": ") };
}
