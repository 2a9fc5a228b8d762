import corpus from "./hostile.json";

/** Text that would like to be more than text: whatever holds it shows it, and nothing else happens. */
export const HOSTILE: readonly string[] = [...corpus, "x".repeat(1_000_000)];
