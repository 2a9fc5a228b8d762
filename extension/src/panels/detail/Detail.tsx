// What the selected component does: where a head looks, what neurons hold, what it adds by itself.
import type { JSX } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { IconButton } from "../../parts/controls";
import { attribute, direction, plain, signed } from "../../parts/number";
import type { Theme } from "../../parts/theme";
import { tokenText } from "../../parts/token";
import { real, realOrNull } from "../../protocol/decode";
import type { DirectView, PartRefused } from "../../protocol/generated";
import {
  type BoardState,
  lacksDetail,
  type Question,
  question,
  sameQuestion,
  shownView,
} from "../../store/state";
import type { Actions } from "../actions";
import { positionWords } from "../prompts/Prompts";
import { Attention } from "./Attention";
import { ByPosition } from "./ByPosition";
import { Lens } from "./Lens";
import { Neurons } from "./Neurons";

/** How long a selection rests before it is asked about: arrows pass over many cells (ms). */
const REST_MS = 80;

const PARTS: Record<PartRefused["part"], string> = {
  attention: "Attention pattern",
  by_position: "Effect by position",
  direct: "Direct effect",
  lens: "Logit lens",
  neurons: "Neurons",
};

function titleOf(site: string): string {
  return /^\d/.test(site) ? `Head ${site}` : site;
}

function Direct({ direct }: { direct: DirectView }): JSX.Element {
  const [value, base, stderr] = [direct.value, direct.base_value, direct.stderr].map(realOrNull);
  const now = value ?? Number.NaN;
  return (
    <span
      data-cb="direct"
      data-value={attribute(now)}
      data-base={attribute(base ?? Number.NaN)}
      title="What it adds to logit(answer) − logit(wrong) by itself, the final norm's scale held (direct logit attribution)"
    >
      <span class="cb-quiet-text">direct effect </span>
      <span class={`cb-strong ${direction(now)}`}>{signed(now)}</span>
      <span class="cb-quiet-text">
        {stderr === null || stderr === undefined ? "" : ` ± ${plain(stderr)}`} logits, base{" "}
        {signed(base ?? Number.NaN)}
      </span>
    </span>
  );
}

function Parts({
  state,
  act,
  theme,
  now,
}: {
  state: BoardState;
  act: Actions;
  theme: Theme;
  now: Question;
}): JSX.Element | null {
  const { answer, asked, failed } = state.detail;
  const { snapshot } = state;
  const read = answer?.to.site === now.site ? answer.read : null;
  const prompt = read === null ? undefined : state.setup?.prompts[read.prompt];
  // A pattern has many cells, and a map that fills in arrives many times a second: one is kept.
  const attention = useMemo(
    () =>
      read === null || read.attention === null || read.patterns === null ? null : (
        <Attention
          key={`${read.site} ${read.prompt}`}
          attention={read.attention}
          patterns={read.patterns}
          prompt={prompt}
          theme={theme}
        />
      ),
    [read, prompt, theme],
  );
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
      <p class="cb-hint">
        {state.connected ? "Reading\u2026" : "Not read before the kernel went."}
      </p>
    );
  }
  const mode = shownView(state)?.mode;
  const byPosition = read.by_position?.how === mode ? read.by_position : null;
  const refused = read.refused.filter(({ part }) => part !== "by_position" || byPosition === null);
  return (
    <div class={read.revision < snapshot.revision || asked !== null ? "cb-detail-old" : ""}>
      {attention}
      {read.attention === null && read.by_position === null ? null : (
        <ByPosition
          effects={byPosition}
          prompt={prompt}
          unit={snapshot.metric.unit}
          metric={real(snapshot.metric.value)}
          theme={theme}
          off={!state.connected}
          asking={asked !== null}
          onAsk={() => act.detail(true)}
        />
      )}
      <div class="cb-parts">
        {read.neurons === null ? null : (
          <Neurons
            table={read.neurons}
            position={read.position}
            edits={snapshot.edits}
            unit={snapshot.metric.unit}
            off={!state.connected}
            onClick={act.click}
          />
        )}
        {read.lens === null ? null : <Lens rows={read.lens} site={read.site} />}
      </div>
      {refused.map(({ part, error }) => (
        <p class="cb-note" key={part} data-cb="detail-refused" data-part={part}>
          {PARTS[part]}: {tokenText(error.message, 400)}
        </p>
      ))}
    </div>
  );
}

interface DetailProps {
  state: BoardState;
  act: Actions;
  theme: Theme;
}

export function Detail({ state, act, theme }: DetailProps): JSX.Element {
  const now = question(state);
  const lacking = lacksDetail(state);
  const wanted = now === null ? "" : `${now.site} ${now.position} ${now.prompt}`;
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
  const current =
    answer !== null && sameQuestion(answer.to, now) && !lacking && state.detail.asked === null;
  const status =
    failed !== null && sameQuestion(failed.question, now) ? "error" : current ? "shown" : "loading";
  const read = answer?.to.site === now.site ? answer.read : null;
  const prompt = state.setup?.prompts[now.prompt];
  const several = (state.setup?.prompts.length ?? 1) > 1;
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
      <div class="cb-row cb-detail-head">
        <h3 class="cb-detail-name">{titleOf(now.site)}</h3>
        {read === null || (read.neurons === null && read.lens === null) ? null : (
          <span class="cb-quiet-text">at {positionWords([read.position], prompt)}</span>
        )}
        {several ? <span class="cb-quiet-text">prompt {now.prompt + 1}</span> : null}
        {read?.direct ? <Direct direct={read.direct} /> : null}
        <span class="cb-grow" />
        <IconButton
          cb="detail-close"
          icon="x"
          label="Close the detail"
          onClick={() => act.select(null)}
        />
      </div>
      <Parts state={state} act={act} theme={theme} now={now} />
    </section>
  );
}
