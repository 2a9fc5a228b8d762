// The time of the tests: it stands still until a test lets it pass, so a busy machine changes no outcome.
import { afterEach, beforeEach, vi } from "vitest";

/** Longer than the two frames that drawing takes, shorter than anything that the panel waits with. */
const DRAWN_MS = 40;
/** How long something may take, in the time that passes here. */
const PATIENCE_MS = 20_000;

/** Let what was asked for be drawn (ms: at once, or after what the panel waits with). */
export async function drawn(ms = DRAWN_MS): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

/** Let time pass until this holds, and return what it returns. */
export async function until<T>(holds: () => T): Promise<T> {
  for (let passed = 0; passed < PATIENCE_MS; passed += DRAWN_MS) {
    try {
      return holds();
    } catch {
      await drawn();
    }
  }
  return holds();
}

beforeEach(() => {
  vi.useFakeTimers({
    toFake: [
      "setTimeout",
      "clearTimeout",
      "setInterval",
      "clearInterval",
      "requestAnimationFrame",
      "cancelAnimationFrame",
      "Date",
      "performance",
    ],
  });
});
afterEach(() => {
  vi.useRealTimers();
});
