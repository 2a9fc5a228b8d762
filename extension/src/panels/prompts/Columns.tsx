// The tokens of a prompt, drawn in runs: of thousands only the run that something happened in is drawn again.
import { Component, Fragment, type JSX } from "preact";
import { Token, tokenWords } from "../../parts/token";
import type { PromptRow, TokenColumn } from "../../protocol/generated";
import { columnToken, lacking } from "./column_token";
import type { Positions } from "./selection";

/** Tokens of one run. */
export const RUN = 64;

/** Characters of a label above its token, at most. */
const TAG = 10;

interface ColumnProps {
  column: TokenColumn;
  /** Its place in the token tensor. */
  at: number;
  /** The same, counted in the prompt's own tokens. */
  position: number;
  selected: boolean;
  stop: boolean;
  disabled: boolean;
}

function Column({ column, at, position, selected, stop, disabled }: ColumnProps): JSX.Element {
  const { clean, corrupted, differs, labels } = column;
  if (column.padding)
    return <span class="cb-tok cb-padding" data-cb="padding" aria-hidden="true" />;
  // In the order in which it is drawn, so that what is read can be spoken.
  const tags = labels.map((label) => tokenWords(label, TAG));
  const alone = lacking(column);
  const words = [
    `position ${[...tags, position].join(" ")}: ${tokenWords(columnToken(column).text)}`,
    corrupted === null || alone !== null ? "" : `, ${tokenWords(corrupted)}`,
    alone === null ? "" : `, no ${alone} token`,
    differs && alone === null ? ", clean and corrupted differ" : "",
    ...labels
      .filter((label) => label.length > TAG)
      .map((label) => `, labelled ${tokenWords(label, 24)}`),
  ].join("");
  return (
    <button
      type="button"
      class={`cb-tok${differs ? " cb-diff" : ""}`}
      data-cb="token"
      data-pos={at}
      aria-pressed={selected}
      aria-label={words}
      tabIndex={stop ? 0 : -1}
      disabled={disabled}
    >
      <span class="cb-tok-index">
        {labels.map((label, i) => (
          <Fragment key={label}>
            <span class="cb-tag">{tags[i]}</span>{" "}
          </Fragment>
        ))}
        {position}
      </span>{" "}
      <span class={alone === "clean" ? "cb-tok-none" : "cb-tok-clean"}>
        <Token text={clean} id={column.clean_id} />
      </span>{" "}
      {corrupted === null ? null : (
        <span class={alone === "corrupted" ? "cb-tok-none" : "cb-tok-corrupted"}>
          <Token text={corrupted} id={column.corrupted_id} />
        </span>
      )}
    </button>
  );
}

interface RunProps {
  prompt: PromptRow;
  from: number;
  /** Columns on the left that hold no token. */
  first: number;
  /** Which of its own are selected, as text: equal text, equal drawing. */
  selected: string;
  /** The one that Tab reaches, or −1 when it is not among these. */
  stop: number;
  disabled: boolean;
}

class Run extends Component<RunProps> {
  override shouldComponentUpdate(next: RunProps): boolean {
    const now = this.props;
    return (
      now.prompt !== next.prompt ||
      now.selected !== next.selected ||
      now.stop !== next.stop ||
      now.disabled !== next.disabled
    );
  }

  override render({ prompt, from, first, selected, stop, disabled }: RunProps): JSX.Element {
    const chosen = new Set(selected.split(" "));
    return (
      <span class="cb-tok-run">
        {prompt.columns.slice(from, from + RUN).map((column, i) => (
          <Column
            key={from + i}
            column={column}
            at={from + i}
            position={from + i - first}
            selected={chosen.has(String(from + i))}
            stop={from + i === stop}
            disabled={disabled}
          />
        ))}
      </span>
    );
  }
}

interface ColumnsProps {
  prompt: PromptRow;
  first: number;
  selected: Positions;
  stop: number;
  disabled: boolean;
}

export function Columns({ prompt, first, selected, stop, disabled }: ColumnsProps): JSX.Element {
  const n = prompt.columns.length;
  return (
    <>
      {Array.from({ length: Math.ceil(n / RUN) }, (_, i) => {
        const from = i * RUN;
        const inside = (p: number): boolean => p >= from && p < from + RUN;
        return (
          <Run
            key={from}
            prompt={prompt}
            from={from}
            first={first}
            selected={selected?.filter(inside).join(" ") ?? ""}
            stop={inside(stop) ? stop : -1}
            disabled={disabled}
          />
        );
      })}
    </>
  );
}
