// The recordings as the tests play them, or make them: under tests/protocol/record.py the real session is asked instead.
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { Player } from "./player";
import type { Ask, Recording, Said } from "./recording";

const FOLDER = join(__dirname, "../../tests/protocol/conversations");
/** Two pipes, while tests/protocol/record.py listens. */
const RECORDER = process.env.CIRCUITBOARD_RECORDER;

/** The boards of tests/protocol/recorded_boards.py. */
export type BoardName = "pair" | "single" | "dataset" | "padded" | "wide";

function asking(board: BoardName): Ask {
  return (steps, request, isStep) => {
    const pipe = openSync(join(RECORDER ?? "", "asked"), "w");
    writeSync(pipe, JSON.stringify({ board, steps, request, isStep }));
    closeSync(pipe);
    const said = readFileSync(join(RECORDER ?? "", "said"), "utf-8");
    return JSON.parse(said) as Said[];
  };
}

/** A kernel of this board, which says what the real one said. */
export function recorded(board: BoardName, mute: Iterable<string> = []): Player {
  if (RECORDER !== undefined) {
    const ask = asking(board);
    return new Player({ said: ask([], "", true) }, mute, ask);
  }
  const text = readFileSync(join(FOLDER, `${board}.json`), "utf-8");
  return new Player(JSON.parse(text) as Recording, mute);
}
