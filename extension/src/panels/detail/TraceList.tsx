// A ranked list: what moves a component, or who reads from a token. A row leads to its component.
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { Button } from "../../parts/controls";
import { attribute, direction, plain } from "../../parts/number";
import { tokenText } from "../../parts/token";
import { real, realOrNull } from "../../protocol/decode";
import type { PromptRow, ReadBy, Traced } from "../../protocol/generated";
import { type BoardState, type Mode, shownView } from "../../store/state";
import type { TraceState } from "../../store/tracing";
import type { Actions } from "../actions";
import { Bar, effectWords, ends, roundingOf } from "./Bar";
import { columnWords } from "./column";

interface Row {
  site: string;
  /** What it is an edit of: an edge, or an entry of the head's pattern. */
  edit: string;
  effect: number;
  stderr: number | null;
  attention: number | null;
  edited: boolean;
}

function rowsOf(read: Traced | ReadBy, position: (column: number) => number): Row[] {
  if (read.kind === "traced")
    return read.rows.map((row) => ({
      site: row.sender,
      edit: row.edge,
      effect: real(row.effect),
      stderr: realOrNull(row.stderr),
      attention: null,
      edited: row.edited,
    }));
  return read.rows.map((row) => ({
    site: row.site,
    edit: `${row.site}.pattern @ ${position(read.row)} <- ${position(read.position)}`,
    effect: real(row.effect),
    stderr: realOrNull(row.stderr),
    attention: real(row.attention),
    edited: false,
  }));
}

function title({ question, read }: TraceState, prompt: PromptRow | undefined): string {
  if (question.kind === "readers") return `Who reads ${columnWords(question.position, prompt)}`;
  const end = read?.kind === "traced" ? read.receiver : `${question.site}.${question.part}`;
  return `What feeds ${question.part === "in" ? question.site : end}`;
}

function note({ question, read }: TraceState, mode: Mode, prompt: PromptRow | undefined): string {
  if (question.kind === "trace") {
    const how = read?.kind === "traced" ? read.how : mode;
    return `Effect of ${how} on each path alone, exact: only what ${question.site} hears of the component is edited.`;
  }
  const row = read?.kind === "read_by" ? columnWords(read.row, prompt) : "the answer";
  return `Heads by their attention from ${row}; effect of setting that one cell of the pattern to 0, the rest of the row as it is.`;
}

interface TraceListProps {
  state: BoardState;
  trace: TraceState;
  act: Actions;
}

export function TraceList({ state, trace, act }: TraceListProps): JSX.Element {
  const { snapshot, setup, connected } = state;
  const { question, read, asked, failed } = trace;
  const mode = shownView(state)?.mode ?? "zero";
  const prompt = setup?.prompts[shownView(state)?.prompt ?? 0];
  const unit = snapshot?.metric.unit ?? "";
  const old =
    read === null ||
    read.revision < (snapshot?.revision ?? 0) ||
    (read.kind === "traced" && read.how !== mode);
  const lacking = connected && asked === null && failed === null && old;
  useEffect(() => {
    if (lacking) act.trace(question);
  }, [lacking, act, question]);
  const padded =
    setup?.prompts.some(({ columns }) => columns.some(({ padding }) => padding)) ?? false;
  const rows =
    read === null ? [] : rowsOf(read, (c) => (padded ? c - (setup?.n_positions ?? 0) : c));
  const rounding = roundingOf(snapshot === null ? 0 : real(snapshot.metric.value));
  const scale = ends(
    rows.map(({ effect }) => effect),
    10 * rounding,
  );
  const readers = question.kind === "readers";
  const apply = (row: Row): void => {
    if (connected) act.apply([{ site: row.edit, how: readers ? "zero" : mode }]);
  };
  return (
    <div
      class="cb-trace"
      data-cb="trace"
      data-status={failed !== null ? "error" : old ? "loading" : "shown"}
    >
      <div class="cb-row cb-part-head">
        <Button cb="trace-close" label="Back to the detail" onClick={() => act.trace(null)}>
          {"\u2190"} Back
        </Button>
        <h4 class="cb-h">{title(trace, prompt)}</h4>
      </div>
      <p class="cb-note">{note(trace, mode, prompt)}</p>
      {failed === null ? null : (
        <p class="cb-hint" role="alert" data-cb="trace-error">
          {tokenText(failed.message, 400)}{" "}
          <span class="cb-quiet-text">({tokenText(failed.code, 60)})</span>
        </p>
      )}
      {failed === null && read === null ? (
        <p class="cb-hint">
          {connected ? "Computing each path\u2026" : "Not read before the kernel went."}
        </p>
      ) : null}
      {read !== null && rows.length === 0 ? (
        <p class="cb-hint">{readers ? "No head attends to it." : "Nothing comes before it."}</p>
      ) : null}
      {rows.length === 0 ? null : (
        <table class={`cb-tt cb-trace-rows${old ? " cb-detail-old" : ""}`}>
          <thead>
            <tr>
              <th scope="col">{readers ? "head" : "from"}</th>
              {readers ? <th scope="col">attention</th> : null}
              <th scope="col" colSpan={2}>
                effect, {unit}
              </th>
              <th scope="col">
                <span class="cb-hidden">edit</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr
                key={row.site}
                data-cb="trace-row"
                data-site={row.site}
                data-effect={attribute(row.effect)}
              >
                <th scope="row">
                  <button
                    type="button"
                    class="cb-link"
                    title="Select; Shift-click edits this path"
                    onClick={(event) =>
                      event.shiftKey ? apply(row) : act.select({ site: row.site, position: null })
                    }
                  >
                    {tokenText(row.site, 24)}
                  </button>
                </th>
                {row.attention === null ? null : <td>{plain(row.attention)}</td>}
                <td class="cb-effect-bar">
                  <Bar value={row.effect} scale={scale} />
                </td>
                <td class="cb-effect-number">
                  <span class={direction(row.effect)}>{effectWords(row.effect, rounding)}</span>
                  <span class="cb-quiet-text">
                    {row.stderr === null || Math.abs(row.effect) < rounding
                      ? ""
                      : ` \u00b1 ${plain(row.stderr)}`}
                  </span>
                </td>
                <td>
                  {row.edited ? (
                    <span class="cb-quiet-text">edited</span>
                  ) : (
                    <button
                      type="button"
                      class="cb-link"
                      data-cb="trace-apply"
                      disabled={!connected}
                      aria-label={`${readers ? "zero" : mode} ${row.edit}`}
                      onClick={() => apply(row)}
                    >
                      {readers ? "zero" : mode}
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {read === null || read.omitted === 0 ? null : (
        <p class="cb-note">
          {read.omitted}{" "}
          {read.kind === "read_by"
            ? "heads that attend less"
            : read.by_estimate
              ? "with smaller estimates (attribution patching)"
              : "smaller ones"}{" "}
          are not listed.
        </p>
      )}
    </div>
  );
}
