// The history of a fake kernel: a tree of states, a way back and a way forward.
import type { EditRow, HistoryNode, Tree } from "../src/protocol/generated";
import { toReal } from "./fake_numbers";

type Edits = readonly EditRow[];

interface State {
  id: number;
  parent: number | null;
  label: string;
  edits: Edits;
  note: string | null;
}

export class FakeHistory {
  readonly #states: State[] = [{ id: 0, parent: null, label: "clean run", edits: [], note: null }];
  readonly #value: (edits: Edits) => number;
  #current = 0;
  #redo: number[] = [];

  constructor(value: (edits: Edits) => number) {
    this.#value = value;
  }

  get edits(): Edits {
    return this.editsOf(this.#current);
  }

  get canUndo(): boolean {
    return (this.#states[this.#current]?.parent ?? null) !== null;
  }

  get canRedo(): boolean {
    return this.#redo.length > 0;
  }

  editsOf(id: number): Edits {
    return this.#states[id]?.edits ?? [];
  }

  /** A new state. */
  step(edits: Edits, label: string): void {
    const id = this.#states.length;
    this.#states.push({ id, parent: this.#current, label, edits, note: null });
    this.#current = id;
    this.#redo = [];
  }

  undo(): void {
    const parent = this.#states[this.#current]?.parent ?? null;
    if (parent === null) return;
    this.#redo.push(this.#current);
    this.#current = parent;
  }

  redo(): void {
    this.#current = this.#redo.pop() ?? this.#current;
  }

  restore(id: number): void {
    this.#current = id;
    this.#redo = [];
  }

  node(id: number): HistoryNode {
    const { parent, label, edits, note } = this.#states[id] ?? {
      parent: null,
      label: "",
      edits: [],
      note: null,
    };
    return { id, parent, label, note, value: toReal(this.#value(edits)) };
  }

  tree(): Tree {
    return {
      nodes: this.#states.map(({ id }) => this.node(id)),
      current: this.#current,
      redo: this.#redo.at(-1) ?? null,
      omitted: 0,
    };
  }
}
