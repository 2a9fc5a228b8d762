// The head of a group: its edits are folded, switched, told, named and removed as one.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Button, IconButton, Switch } from "../../parts/controls";
import { Icon } from "../../parts/icon";
import { attribute } from "../../parts/number";
import { tokenText } from "../../parts/token";
import { realOrNull } from "../../protocol/decode";
import type { Actions } from "../actions";
import type { Grouped } from "./entries";
import { Name, NameField } from "./Name";
import { Effect } from "./Row";

interface GroupHeadProps {
  entry: Grouped;
  open: boolean;
  off: boolean;
  arranging: boolean;
  act: Actions;
  onFold(): void;
}

export function GroupHead(props: GroupHeadProps): JSX.Element {
  const { entry, open, off, arranging, act, onFold } = props;
  const [naming, setNaming] = useState(false);
  const { name } = entry.group;
  const label = tokenText(name, 80);
  const indices = entry.members.map(({ index }) => index);
  const on = entry.members.some(({ edit }) => edit.enabled);
  const effect = realOrNull(entry.group.effect);
  const count = `${indices.length} ${indices.length === 1 ? "edit" : "edits"}`;
  return (
    <div
      class={`cb-group-head${on ? "" : " cb-edit-off"}`}
      data-cb="edit-group"
      data-name={name}
      data-effect={effect === null ? "" : attribute(effect)}
    >
      {arranging ? (
        <span />
      ) : (
        <Switch
          cb="group-toggle"
          label={`Use group ${label}, ${count}`}
          on={on}
          disabled={off}
          onClick={() => act.toggle(indices)}
        />
      )}
      {naming ? (
        <NameField
          name={name}
          label={`Name of group ${label}`}
          onEnd={(next) => {
            setNaming(false);
            if (next !== null && next !== "") act.rename(name, next);
          }}
        />
      ) : (
        <span class="cb-group-title">
          <button
            type="button"
            class="cb-fold"
            data-cb="group-fold"
            aria-expanded={open}
            aria-label={`Edits of group ${label}`}
            onClick={onFold}
          >
            <Icon name={open ? "down" : "right"} size={12} />
          </button>
          <Name
            cb="group-name"
            class="cb-edit-what"
            label={`Group ${label}, ${count}. F2 renames it`}
            title={`${label}: ${count}. A click folds it, F2 or a double click renames it.`}
            disabled={false}
            renaming={!off}
            onClick={(event) => {
              if (event.detail < 2) onFold();
            }}
            onRename={(how) => {
              // The first click of the two has folded it.
              if (how === "mouse") onFold();
              setNaming(true);
            }}
          >
            <b>
              <bdi>{label}</bdi>
            </b>
            <span class="cb-quiet-text"> {indices.length}</span>
          </Name>
        </span>
      )}
      {arranging ? (
        <>
          <IconButton
            cb="group-rename"
            icon="pencil"
            label={`Rename group ${label}`}
            disabled={off}
            onClick={() => setNaming(true)}
          />
          <Button cb="ungroup" disabled={off} onClick={() => act.group(null, indices)}>
            Ungroup
          </Button>
        </>
      ) : (
        <>
          <Effect effect={effect} on={on} />
          <IconButton
            cb="group-remove"
            icon="x"
            label={`Remove the ${count} of group ${label}`}
            disabled={off}
            onClick={() => act.remove(indices)}
          />
        </>
      )}
    </div>
  );
}
