// The time of day, as people say when something was last seen.

/** "14:02"; nothing when it is not known. */
export function clock(at: number | null): string {
  return at === null
    ? ""
    : new Date(at).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}
