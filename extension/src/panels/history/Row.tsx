// One state: the step that led to it, or what it is called, and what the step did to the metric.
import type { JSX } from "preact";
import { attribute, direction, plain, signed } from "../../parts/number";
import { tokenText } from "../../parts/token";
import { realOrNull } from "../../protocol/decode";
import { NameField } from "../edits/Name";
import type { Listed } from "./order";

/** Characters of a step in words, at most. */
const LONGEST = 80;

interface RowProps {
  row: Listed;
  current: boolean;
  /** It lies on the way to the state that is shown. */
  onLine: boolean;
  /** It is one of the two that are compared. */
  compared: boolean;
  stop: boolean;
  off: boolean;
  unit: string;
  naming: boolean;
  onRestore(): void;
  onCompare(): void;
  onFocus(): void;
  onName(): void;
  onNamed(note: string | null): void;
}

export function Row(props: RowProps): JSX.Element {
  const { row, current, onLine, compared, off, unit, naming } = props;
  const { node, depth, parent } = row;
  const value = realOrNull(node.value);
  const before = parent === null ? null : realOrNull(parent.value);
  const change = value === null || before === null ? null : value - before;
  const label = tokenText(node.note ?? node.label, LONGEST);
  const step = tokenText(node.label, LONGEST);
  const number =
    change !== null ? signed(change) : value === null ? "?" : parent === null ? signed(value) : "";
  const words = [
    // As drawn: what it is called, and its number.
    number === "" || value === null ? label : `${label}: ${number} ${unit}`,
    node.note === null ? "" : `after ${step}`,
    value === null ? "metric not known" : parent === null ? "" : `metric ${plain(value)} ${unit}`,
    depth > 0 ? "on another branch" : "",
    current ? "shown now" : "Enter restores it",
  ];
  if (naming)
    return (
      <li class="cb-state">
        <NameField
          name={node.note ?? ""}
          label={`Name of the state after ${step}; empty for none`}
          onEnd={props.onNamed}
        />
      </li>
    );
  return (
    <li class="cb-state">
      <button
        type="button"
        class={`cb-node${onLine ? "" : " cb-node-aside"}${compared ? " cb-node-compared" : ""}`}
        data-cb="history-node"
        data-node={node.id}
        data-value={value === null ? "" : attribute(value)}
        data-change={change === null ? "" : attribute(change)}
        data-depth={depth}
        aria-current={current}
        aria-label={words.filter((word) => word !== "").join(", ")}
        title={`${node.note === null ? "" : `${label}, after `}${step}: ${value === null ? "metric not known until it is restored" : `${signed(value, 4)} ${unit}`}. ${current ? "F2 names it." : "A click restores it, Shift-click compares it with the current state, F2 names it."}`}
        tabIndex={props.stop ? 0 : -1}
        aria-disabled={off}
        onClick={(event) => {
          if (off) return;
          if (event.shiftKey) props.onCompare();
          else props.onRestore();
        }}
        onDblClick={() => {
          if (!off) props.onName();
        }}
        onFocus={props.onFocus}
        onKeyDown={(event) => {
          const { key, shiftKey } = event;
          if (off) return;
          if (key === "F2") props.onName();
          else if (key === "Enter" && shiftKey) props.onCompare();
          else return;
          event.preventDefault();
          event.stopPropagation();
        }}
      >
        <bdi class={`cb-node-label${node.note === null ? "" : " cb-strong"}`}>{label}</bdi>{" "}
        <span class={change === null ? "cb-quiet-text" : direction(change)}>{number}</span>
      </button>
    </li>
  );
}
