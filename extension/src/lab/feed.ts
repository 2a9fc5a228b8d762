// The list of live boards, from our server extension: asked for while somebody follows it and the page is seen.
import { ServerConnection } from "@jupyterlab/services";
import { BOARDS_PATH, type Boards, type KernelBoards } from "../protocol/generated";

/** Often enough that a kernel that was killed is noticed within two seconds. */
const PERIOD_MS = 700;
/** After an answer that will not change soon. */
const PATIENCE_MS = 15_000;

export type Listing =
  | { kind: "waiting" }
  | { kind: "boards"; kernels: readonly KernelBoards[] }
  /** The server has no such route: its extension is not enabled there. */
  | { kind: "missing" }
  | { kind: "refused"; words: string };

export class BoardsFeed {
  readonly #settings: ServerConnection.ISettings;
  readonly #listeners = new Set<(listing: Listing) => void>();
  #listing: Listing = { kind: "waiting" };
  #last = "";
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking = false;

  constructor(settings: ServerConnection.ISettings) {
    this.#settings = settings;
    document.addEventListener("visibilitychange", () => this.#wake());
  }

  get listing(): Listing {
    return this.#listing;
  }

  /** What is known of one kernel; null if it has no boards and lost none. */
  of(kernel: string | undefined): KernelBoards | null {
    if (this.#listing.kind !== "boards" || kernel === undefined) return null;
    return this.#listing.kernels.find((one) => one.kernel === kernel) ?? null;
  }

  /** Keeps the list fresh, and tells `listener` of each new one, until the function returned is called. */
  follow(listener: (listing: Listing) => void): () => void {
    const own = (listing: Listing): void => listener(listing);
    this.#listeners.add(own);
    this.#wake();
    return () => {
      this.#listeners.delete(own);
    };
  }

  #wake(): void {
    if (this.#asking || this.#listeners.size === 0 || document.hidden) return;
    clearTimeout(this.#timer);
    void this.#ask();
  }

  async #ask(): Promise<void> {
    this.#asking = true;
    const listing = await this.#listed();
    this.#asking = false;
    const text = JSON.stringify(listing);
    if (text !== this.#last) {
      this.#last = text;
      this.#listing = listing;
      for (const listener of [...this.#listeners]) listener(listing);
    }
    const pause = listing.kind === "boards" ? PERIOD_MS : PATIENCE_MS;
    this.#timer = setTimeout(() => this.#wake(), pause);
  }

  async #listed(): Promise<Listing> {
    const url = new URL(BOARDS_PATH, this.#settings.baseUrl).href;
    try {
      const answer = await ServerConnection.makeRequest(url, { method: "GET" }, this.#settings);
      if (answer.status === 404) return { kind: "missing" };
      if (!answer.ok) return { kind: "refused", words: `The server answered ${answer.status}.` };
      const { kernels } = (await answer.json()) as Boards;
      return { kind: "boards", kernels };
    } catch {
      // The server is away for a moment: what was known stays, and is asked for again.
      return this.#listing.kind === "waiting" || this.#listing.kind === "boards"
        ? this.#listing
        : { kind: "refused", words: "The server does not answer." };
    }
  }
}
