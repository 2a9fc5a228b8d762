// The side panel: the notebook in front, and the boards of every running kernel.
import type { ComponentChildren, JSX } from "preact";
import type { BoardSummary } from "../../protocol/generated";
import type { Listing } from "../feed";
import type { Group, Here } from "./state";

export interface SideProps {
  here: Here;
  listing: Listing;
  groups: readonly Group[];
  /** The form, while it is open. */
  form: ComponentChildren;
  onNew(): void;
  onRetry(): void;
  onOpen(group: Group, board: BoardSummary): void;
  onCell(group: Group, board: BoardSummary): void;
}

export function Side(props: SideProps): JSX.Element {
  const { form, groups, listing } = props;
  return (
    <div class="cb-lab-side" data-cb="side">
      {form ?? <HereSection {...props} />}
      <h3>Boards in running kernels</h3>
      <Trouble listing={listing} />
      {listing.kind === "boards" && groups.length === 0 && (
        <p class="cb-lab-note" data-cb="side-empty">
          No kernel has a board. One made in any notebook appears here by itself.
        </p>
      )}
      {groups.map((group) => (
        <GroupSection key={group.kernel} {...props} group={group} />
      ))}
    </div>
  );
}

function HereSection({ here, onNew, onRetry }: SideProps): JSX.Element {
  const name = "name" in here ? here.name : null;
  return (
    <section data-cb="side-here" data-state={here.kind}>
      {name !== null && <h3>{name}</h3>}
      <p role="status">{hereWords(here)}</p>
      {here.kind === "no-package" && <pre>%pip install circuitboard</pre>}
      <div class="cb-lab-ways">
        {here.kind === "ready" && (
          <button
            type="button"
            class="cb-lab-button cb-lab-main"
            data-cb="side-new"
            onClick={onNew}
          >
            New board…
          </button>
        )}
        {(here.kind === "no-package" || here.kind === "failed") && (
          <button type="button" class="cb-lab-button" data-cb="side-retry" onClick={onRetry}>
            Look again
          </button>
        )}
      </div>
    </section>
  );
}

function hereWords(here: Here): string {
  switch (here.kind) {
    case "no-notebook":
      return "Open a notebook to make a board in it.";
    case "no-kernel":
      return "This notebook has no kernel. Start one to make a board in it.";
    case "checking":
      return here.busy
        ? "A cell is running; what this kernel has is asked when it ends."
        : "Asking the kernel whether it has Circuitboard.";
    case "no-python":
      return `Boards live in Python kernels; this one runs ${here.language}.`;
    case "no-package":
      return "This kernel's Python does not have Circuitboard. Install it there, for instance by a cell with:";
    case "failed":
      return `The kernel could not be asked: ${here.words}`;
    case "ready":
      return "Choose a model, prompts and answers; the form writes the cell and runs it.";
  }
}

function Trouble({ listing }: { listing: Listing }): JSX.Element | null {
  if (listing.kind === "waiting") return <p class="cb-lab-note">Asking the server.</p>;
  if (listing.kind === "missing") {
    return (
      <div data-cb="side-missing">
        <p class="cb-lab-note">
          This Jupyter server does not have Circuitboard's server extension, so boards cannot be
          listed. Install the package where the server runs and start the server again:
        </p>
        <pre>pip install circuitboard</pre>
      </div>
    );
  }
  return listing.kind === "refused" ? <p class="cb-lab-problem">{listing.words}</p> : null;
}

function GroupSection(props: SideProps & { group: Group }): JSX.Element {
  const { group } = props;
  return (
    <section
      class={group.current ? "cb-lab-group cb-lab-here" : "cb-lab-group"}
      data-cb="side-kernel"
      data-kernel={group.kernel}
    >
      <h4>
        {group.name}
        {group.current && <span> (in front)</span>}
      </h4>
      <ul>
        {group.boards.map((board) => (
          <li key={board.board} data-cb="side-board" data-board={board.board}>
            <div class="cb-lab-row">
              <b>{board.model}</b>
              <span class="cb-lab-value" data-cb="side-value">
                {valueWords(board)}
              </span>
            </div>
            <p class="cb-lab-note">
              {count(board.edits, "edit")} · {count(board.prompts, "prompt")} · {board.base} run ·{" "}
              {board.engine}
            </p>
            {group.path !== null && (
              <div class="cb-lab-ways">
                <button
                  type="button"
                  class="cb-lab-button"
                  data-cb="side-open"
                  aria-label={`Open board ${board.board} of ${group.name} beside its notebook`}
                  onClick={() => props.onOpen(group, board)}
                >
                  Open beside
                </button>
                {board.cell !== null && (
                  <button
                    type="button"
                    class="cb-lab-button"
                    data-cb="side-cell"
                    aria-label={`Go to the cell of board ${board.board} of ${group.name}`}
                    onClick={() => props.onCell(group, board)}
                  >
                    Go to cell
                  </button>
                )}
              </div>
            )}
          </li>
        ))}
      </ul>
      {group.lost > 0 && (
        <p class="cb-lab-problem" data-cb="side-lost">
          {count(group.lost, "board")} ended with a kernel that died. The board's output in the
          notebook offers to load its last saved state.
        </p>
      )}
      {group.unreadable > 0 && (
        <p class="cb-lab-note">{count(group.unreadable, "file")} could not be read.</p>
      )}
    </section>
  );
}

function valueWords({ metric, unit, value }: BoardSummary): string {
  const number =
    value === null ? "not finite" : `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(3)}`;
  return `${metric} ${number}${unit ? ` ${unit}` : ""}`;
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}
