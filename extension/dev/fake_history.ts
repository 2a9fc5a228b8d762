// The history of a fake kernel: a tree of states, a way back and a way forward.
import type { EditRow, Tree } from "../src/protocol/generated";
import { toReal } from "./fake_numbers";

type Edits = readonly EditRow[];

interface State {
  id: number;
  parent: number | null;
  label: string;
  edits: Edits;
}

export class FakeHistory {
  readonly #states: State[] = [{ id: 0, parent: null, label: "start", edits: [] }];
  readonly #value: (edits: Edits) => number;
  #current = 0;
  #redo: number[] = [];

  constructor(value: (edits: Edits) => number) {
    this.#value = value;
  }

  get edits(): Edits {
    return this.#states[this.#current]?.edits ?? [];
  }

  get canUndo(): boolean {
    return (this.#states[this.#current]?.parent ?? null) !== null;
  }

  get canRedo(): boolean {
    return this.#redo.length > 0;
  }

  step(edits: Edits, label: string): void {
    const id = this.#states.length;
    this.#states.push({ id, parent: this.#current, label, edits });
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

  tree(): Tree {
    return {
      nodes: this.#states.map(({ id, parent, label, edits }) => ({
        id,
        parent,
        label,
        value: toReal(this.#value(edits)),
      })),
      current: this.#current,
      redo: this.#redo.at(-1) ?? null,
      omitted: 0,
    };
  }
}
