// The edits in the order in which they act, by themselves or in groups.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Button } from "../../parts/controls";
import { type BoardState, shownView } from "../../store/state";
import type { Actions } from "../actions";
import type { Copying } from "../code/copying";
import { Arrange } from "./Arrange";
import { entriesOf, isGroup, type Placed } from "./entries";
import { GroupHead } from "./GroupHead";
import { Row } from "./Row";
import { useReorder } from "./reorder";
import { mapOf, selectionOf } from "./selecting";

interface EditsProps {
  state: BoardState;
  act: Actions;
  copying: Copying;
}

function toggled<T>(set: ReadonlySet<T>, item: T): Set<T> {
  const next = new Set(set);
  if (!next.delete(item)) next.add(item);
  return next;
}

function List({
  state,
  act,
  marked,
  onMark,
}: {
  state: BoardState;
  act: Actions;
  marked: ReadonlySet<number> | null;
  onMark(index: number): void;
}): JSX.Element {
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const reorder = useReorder(act.move);
  const { snapshot, setup } = state;
  const edits = snapshot?.edits ?? [];
  const view = shownView(state);
  const off = !state.connected;
  const row = ({ edit, index }: Placed): JSX.Element => (
    <Row
      key={index}
      edit={edit}
      index={index}
      last={edits.length - 1}
      off={off}
      unit={snapshot?.metric.unit ?? ""}
      settled={state.trouble}
      marked={marked === null ? null : marked.has(index)}
      reorder={reorder}
      act={act}
      onMark={() => onMark(index)}
      onSelect={() => {
        const selection = selectionOf(edit);
        if (selection === null || view === null) return;
        const map = mapOf(edit, view, setup?.maps ?? []);
        if (map !== null && !off) act.setView({ map });
        act.select(selection);
      }}
    />
  );
  return (
    <ol class={`cb-edits${reorder.dragged === null ? "" : " cb-reordering"}`}>
      {entriesOf(edits, snapshot?.groups ?? []).map((entry) =>
        isGroup(entry) ? (
          <li class="cb-group" key={`group ${entry.group.name}`}>
            <GroupHead
              entry={entry}
              open={!folded.has(entry.group.name)}
              off={off}
              arranging={marked !== null}
              act={act}
              onFold={() => setFolded((before) => toggled(before, entry.group.name))}
            />
            {folded.has(entry.group.name) ? null : (
              <ol class="cb-members">{entry.members.map(row)}</ol>
            )}
          </li>
        ) : (
          row(entry)
        ),
      )}
    </ol>
  );
}

export function Edits({ state, act, copying }: EditsProps): JSX.Element {
  const [arranged, setMarked] = useState<ReadonlySet<number> | null>(null);
  const { snapshot } = state;
  const off = !state.connected || snapshot === null;
  const edits = snapshot?.edits ?? [];
  const marked = edits.length === 0 || off ? null : arranged;
  const within = [...(marked ?? [])].filter((index) => index < edits.length).sort((a, b) => a - b);
  return (
    <section class="cb-sec" aria-label="Edits">
      <div class="cb-sechead">
        <h3 class="cb-h">
          Edits
          {edits.length > 0 ? (
            <span class="cb-quiet-text cb-plain"> effect in {snapshot?.metric.unit}</span>
          ) : null}
        </h3>
        <span class="cb-grow" />
        <Button
          cb="copy-code"
          title="Copy Python that rebuilds this state"
          disabled={off}
          onClick={() => copying.copy("state")}
        >
          {copying.copied === "state" ? "Copied" : "Copy Python"}
        </Button>
      </div>
      {edits.length === 0 ? (
        <p class="cb-hint">
          None yet. What you click is listed here, with a switch, its effect and a way back.
        </p>
      ) : (
        <List
          state={state}
          act={act}
          marked={marked}
          onMark={(index) => setMarked((before) => toggled(before ?? new Set(), index))}
        />
      )}
      {marked === null ? (
        <div class="cb-row cb-edit-actions">
          <Button
            cb="arrange"
            title="Group edits under a name, switch or remove several, change their order"
            disabled={off || edits.length === 0}
            onClick={() => setMarked(new Set())}
          >
            Arrange
          </Button>
          <Button
            cb="copy-step"
            title="Copy Python that takes the last step again on `board`"
            disabled={off || snapshot.history.nodes.length < 2}
            onClick={() => copying.copy("step")}
          >
            {copying.copied === "step" ? "Copied" : "Copy step"}
          </Button>
        </div>
      ) : (
        <Arrange marked={within} off={off} act={act} onDone={() => setMarked(null)} />
      )}
    </section>
  );
}
