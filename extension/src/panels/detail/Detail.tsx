// What the selected component does: what editing it changes, where a head looks and what it writes, what
// neurons hold.
import type { JSX } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { tokenText } from "../../parts/token";
import { real } from "../../protocol/decode";
import type { PartRefused } from "../../protocol/generated";
import { type Question, sameQuestion } from "../../store/selection";
import { type BoardState, lacksDetail, question, shownView } from "../../store/state";
import type { Actions } from "../actions";
import type { Palette } from "../map/look/colour";
import { ByPosition } from "./ByPosition";
import { Circuit } from "./Circuit";
import { DetailHead, titleOf } from "./DetailHead";
import { Effects } from "./Effects";
import { Lens } from "./Lens";
import { Neurons } from "./Neurons";
import { headOf } from "./own_edits";
import { Attention } from "./pattern/Attention";
import { drawnCells, editsOf } from "./pattern/drawing";
import { TraceList } from "./TraceList";
import { Upstream } from "./Upstream";
import { Writes } from "./Writes";

/** How long a selection rests before it is asked about: arrows pass over many cells (ms). */
const REST_MS = 80;

const PARTS: Record<PartRefused["part"], string> = {
  attention: "Attention pattern",
  by_position: "Effect by position",
  circuit: "Circuits",
  direct: "Direct effect",
  effect: "Effect",
  lens: "Logit lens",
  neurons: "Neurons",
  writes: "What it writes",
};

interface PartsProps {
  state: BoardState;
  act: Actions;
  palette: Palette;
  now: Question;
}

function Parts({ state, act, palette, now }: PartsProps): JSX.Element | null {
  const { answer, asked, failed } = state.detail;
  const { snapshot, setup, connected } = state;
  const read = answer?.to.site === now.site ? answer.read : null;
  const prompt = read === null ? undefined : setup?.prompts[read.prompt];
  const edits = snapshot?.edits;
  const base = snapshot?.base ?? "clean";
  const head = headOf(now.site);
  // A pattern has many cells, and a map that fills in arrives many times a second: one is kept.
  const attention = useMemo(() => {
    if (read === null || read.attention === null || read.patterns === null || head === null)
      return null;
    const { first_column, tokens } = read.attention;
    const padded = setup?.prompts.some(({ columns }) => columns.some(({ padding }) => padding));
    const place = (i: number): number =>
      padded === true ? i + first_column - (setup?.n_positions ?? 0) : i + first_column;
    const { writes } = read;
    return (
      <Attention
        key={`${read.site} ${read.prompt}`}
        head={head.join(".")}
        attention={read.attention}
        patterns={read.patterns}
        prompt={prompt}
        base={base}
        palette={palette}
        row={read.row - first_column}
        source={now.source === null ? null : now.source - first_column}
        drawn={drawnCells(edits ?? [], head[0], head[1], tokens.length, first_column)}
        off={!connected}
        writes={(run) =>
          writes === null ? null : <Writes writes={writes} prompt={prompt} run={run} head={true} />
        }
        onChoose={({ dest, src }) =>
          act.want({ row: dest + first_column, source: src + first_column })
        }
        onStroke={(cells, brush) => act.apply(editsOf(head.join("."), cells, brush, place))}
        onTakeBack={({ index }) => act.remove(index)}
      />
    );
  }, [read, prompt, palette, edits, base, connected, setup, act, now.source, now.site]);
  if (failed !== null && sameQuestion(failed.question, now)) {
    return (
      <p class="cb-hint" role="alert" data-cb="detail-error">
        {tokenText(failed.error.message, 400)}{" "}
        <span class="cb-quiet-text">({tokenText(failed.error.code, 60)})</span>
      </p>
    );
  }
  if (read === null || snapshot === null) {
    return (
      <p class="cb-hint">{connected ? "Reading\u2026" : "Not read before the kernel went."}</p>
    );
  }
  const mode = shownView(state)?.mode;
  const byPosition = read.by_position?.how === mode ? read.by_position : null;
  const refused = read.refused.filter(({ part }) => part !== "by_position" || byPosition === null);
  const old = read.revision < snapshot.revision || asked !== null;
  const isHead = head !== null;
  return (
    <div class={old ? "cb-detail-old" : ""}>
      {read.effect === null ? null : (
        <Effects
          effect={read.effect}
          direct={read.direct}
          unit={snapshot.metric.unit}
          metric={real(snapshot.metric.value)}
        />
      )}
      {attention}
      {attention === null && read.writes !== null ? (
        <Writes writes={read.writes} prompt={prompt} run="current" head={isHead} />
      ) : null}
      {isHead ? (
        <>
          <Circuit
            circuit={read.circuit}
            wanted={now.circuit}
            prompt={prompt}
            off={!connected}
            onWant={(circuit) => act.want({ circuit })}
          />
          <ByPosition
            effects={byPosition}
            prompt={prompt}
            unit={snapshot.metric.unit}
            metric={real(snapshot.metric.value)}
            off={!connected}
            asking={now.byPosition && byPosition === null && asked !== null}
            onAsk={() => act.want({ byPosition: true })}
          />
        </>
      ) : null}
      {refused.map(({ part, error }) => (
        <p class="cb-note" key={part} data-cb="detail-refused" data-part={part}>
          {PARTS[part]}: {tokenText(error.message, 400)}
        </p>
      ))}
      <Upstream
        now={now}
        token={isHead ? now.source : now.position}
        prompt={prompt}
        off={!connected}
        onTrace={act.trace}
      />
      {read.neurons === null ? null : (
        <Neurons
          table={read.neurons}
          position={read.position}
          edits={snapshot.edits}
          unit={snapshot.metric.unit}
          off={!connected}
          onClick={act.click}
        />
      )}
      {read.lens === null ? null : <Lens rows={read.lens} site={read.site} />}
    </div>
  );
}

interface DetailProps {
  state: BoardState;
  act: Actions;
  palette: Palette;
}

export function Detail({ state, act, palette }: DetailProps): JSX.Element {
  const now = question(state);
  const lacking = lacksDetail(state);
  const wanted = now === null ? "" : Object.values(now).join(" ");
  useEffect(() => {
    if (!lacking) return undefined;
    const timer = setTimeout(() => act.detail(), REST_MS);
    return () => clearTimeout(timer);
  }, [lacking, wanted, act]);
  if (now === null) {
    return (
      <section
        class="cb-detail"
        aria-label="Detail"
        data-cb="detail"
        data-site=""
        data-status="empty"
      >
        <h3 class="cb-h">Detail</h3>
        <p class="cb-hint">
          What you click or reach with the arrows is shown here: where a head looks, what an MLP's
          neurons do, what the stream says layer by layer. Shift-click looks without editing.
        </p>
      </section>
    );
  }
  const { answer, failed } = state.detail;
  const { trace } = state;
  const current =
    answer !== null && sameQuestion(answer.to, now) && !lacking && state.detail.asked === null;
  const status =
    failed !== null && sameQuestion(failed.question, now) ? "error" : current ? "shown" : "loading";
  const read = answer?.to.site === now.site ? answer.read : null;
  const list = trace !== null && trace.from.site === now.site ? trace : null;
  return (
    <section
      class="cb-detail"
      aria-label={`Detail of ${titleOf(now.site)}`}
      aria-busy={status === "loading"}
      data-cb="detail"
      data-site={now.site}
      data-status={status}
      data-revision={read?.revision ?? ""}
    >
      <div class="cb-detail-body">
        <DetailHead state={state} act={act} now={now} />
        {list === null ? (
          <Parts state={state} act={act} palette={palette} now={now} />
        ) : (
          <TraceList state={state} trace={list} act={act} />
        )}
      </div>
    </section>
  );
}
