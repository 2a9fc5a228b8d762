// Panels that follow the store by themselves: each is drawn again only when a part of the state that
// it has read is another. A map that fills in many times a second leaves the header alone, and a
// panel that cannot be drawn leaves the others standing.
import { Component, type ComponentType, type JSX } from "preact";
import { useLayoutEffect, useReducer } from "preact/hooks";
import type { BoardState } from "../../store/state";
import type { Store } from "../../store/store";

type Key = keyof BoardState;

/**
 * The state, with a note of each part that is read. A part that is read for the first time when the panel draws
 * itself again, as when a menu opens, is as it is then, and not as it was when the store last had it drawn.
 */
function noting(store: Store, read: Set<Key>): BoardState {
  return new Proxy(store.state(), {
    get(_, key) {
      read.add(key as Key);
      return store.state()[key as Key];
    },
  });
}

function same(a: object, b: object): boolean {
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.is(a[key as keyof object], b[key as keyof object]))
  );
}

type Followed<P> = Omit<P, "state"> & { store: Store };

/** `Panel`, given the store instead of the state. */
export function following<P extends { state: BoardState }>(
  Panel: (props: P) => JSX.Element | null,
): ComponentType<Followed<P>> {
  return class Following extends Component<Followed<P>, { failed: boolean }> {
    // Kept from one drawing to the next: what a part that was not drawn again has read still counts.
    readonly #read = new Set<Key>();
    #drawn: BoardState | null = null;
    #unsubscribe: () => void = () => undefined;
    override state = { failed: false };

    #isOld(): boolean {
      const now = this.props.store.state();
      const drawn = this.#drawn;
      if (drawn === null || drawn === now) return drawn === null;
      for (const key of this.#read) if (drawn[key] !== now[key]) return true;
      return false;
    }

    override componentDidMount(): void {
      const follow = (): void => {
        // What could not be drawn of one state may be of the next.
        if (this.#isOld()) this.setState({ failed: false });
      };
      this.#unsubscribe = this.props.store.subscribe(follow);
      // Something may have arrived between drawing and listening.
      follow();
    }

    override componentWillUnmount(): void {
      this.#unsubscribe();
    }

    override shouldComponentUpdate(next: Followed<P>, state: { failed: boolean }): boolean {
      return this.#isOld() || !same(this.props, next) || state.failed !== this.state.failed;
    }

    override componentDidCatch(error: unknown): void {
      this.setState({ failed: true });
      // It is an error of this program: whoever watches the page is to see it.
      queueMicrotask(() => {
        throw error;
      });
    }

    override render(): JSX.Element {
      const { store, ...rest } = this.props;
      this.#drawn = store.state();
      if (this.state.failed) {
        return (
          <p class="cb-hint cb-broken" role="alert" data-cb="broken">
            This part could not be drawn. The rest of the board works, and its numbers hold; the
            next step draws it again.
          </p>
        );
      }
      const props = { ...rest, state: noting(store, this.#read) };
      return <Panel {...(props as unknown as P)} />;
    }
  };
}

/** One thing that follows from the state; whoever asks is drawn again when it is another. */
export function useFollowed<T>(store: Store, of: (state: BoardState) => T): T {
  const [, redraw] = useReducer<number, void>((n) => n + 1, 0);
  const now = of(store.state());
  useLayoutEffect(() => {
    let drawn = now;
    const follow = (): void => {
      const next = of(store.state());
      if (Object.is(next, drawn)) return;
      drawn = next;
      redraw();
    };
    follow();
    return store.subscribe(follow);
  }, [store, now, of]);
  return now;
}
