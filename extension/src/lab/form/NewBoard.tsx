// The new-board form. It makes nothing itself: it writes the cell that makes the board, and runs it.
import type { Kernel } from "@jupyterlab/services";
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import {
  type Checked,
  FORM_MODULE,
  type FormOptions,
  type Problem,
} from "../../protocol/generated";
import { type Answer, ask } from "../ask";
import type { BoardDefaults } from "../settings";
import { Choice, Field, Notes, Strips } from "./Fields";
import { TaskFields, Typed } from "./Prompts";
import { type FormValues, requestOf, startValues } from "./values";

/** A pause in typing that is worth a question to the kernel (ms). */
const PAUSE_MS = 200;

export interface NewBoardProps {
  kernel: Kernel.IKernelConnection;
  defaults: BoardDefaults;
  /** What the clean prompt starts with. */
  clean: string;
  notebook: string;
  /** Puts a cell into the notebook and runs it; resolves with whether it succeeded. */
  runCell(code: string): Promise<boolean>;
  onClose(): void;
}

export function NewBoard(props: NewBoardProps): JSX.Element {
  const { kernel, defaults } = props;
  const [options, setOptions] = useState<FormOptions | null>(null);
  const [values, setValues] = useState(() => startValues(defaults, props.clean));
  const [checked, setChecked] = useState<Checked | null>(null);
  const [failed, setFailed] = useState<string | null>(null);
  const [running, setRunning] = useState(false);
  const newest = useRef(0);

  const set = (patch: Partial<FormValues>): void => setValues((old) => ({ ...old, ...patch }));

  const loadOptions = async (): Promise<void> => {
    const reply = await orWords(ask<FormOptions>(kernel, FORM_MODULE, "options"));
    if (reply.kind === "failed") {
      setFailed(reply.words);
      return;
    }
    setOptions(reply.value);
    const [first] = reply.value.variables.models;
    // A model that is there already is what the user works on.
    if (first) set({ model: { kind: "variable", name: first.name } });
  };
  useEffect(() => void loadOptions(), [kernel.id]);

  const request = options === null ? null : requestOf(values, defaults);
  const question = JSON.stringify(request);
  useEffect(() => {
    newest.current += 1;
    const mine = newest.current;
    if (request === null) {
      setChecked(null);
      return;
    }
    const timer = setTimeout(async () => {
      const reply = await orWords(ask<Checked>(kernel, FORM_MODULE, "check", request));
      if (mine !== newest.current) return;
      setFailed(reply.kind === "failed" ? reply.words : null);
      if (reply.kind === "answer") setChecked(reply.value);
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [question]);
  const fresh = checked !== null && request !== null;

  const run = async (code: string, then: () => void): Promise<void> => {
    setRunning(true);
    const ok = await props.runCell(code);
    setRunning(false);
    if (ok) then();
    else setFailed("The cell failed; its output in the notebook says why.");
  };

  if (options === null) {
    return (
      <section
        class="cb-lab-form"
        data-cb="form"
        data-state={failed === null ? "waiting" : "failed"}
      >
        <h3>New board in {props.notebook}</h3>
        <p role="status">
          {failed ?? "Loading Circuitboard in this kernel. A running cell has to finish first."}
        </p>
        <div class="cb-lab-ways">
          <button type="button" class="cb-lab-button" onClick={props.onClose}>
            Cancel
          </button>
        </div>
      </section>
    );
  }

  const problemOf = (field: Problem["field"]): string | undefined =>
    checked?.problems.find((one) => one.field === field)?.message.split("\n")[0];
  const answerOf = (field: "answer" | "wrong"): string | undefined =>
    checked?.answers.find((one) => one.field === field && one.ok)?.words;
  const loadFirst = checked?.load_first ?? null;

  return (
    <section
      class="cb-lab-form"
      data-cb="form"
      data-state={running ? "running" : fresh && checked.code !== null ? "ready" : "open"}
      aria-label={`New board in ${props.notebook}`}
    >
      <h3>New board in {props.notebook}</h3>
      <Field label="Model" name="model" problem={problemOf("model")}>
        <Choice
          name="model"
          value={`${values.model.kind}:${values.model.name}`}
          options={modelOptions(options)}
          onChange={(value) => {
            const [kind, ...name] = value.split(":");
            set({ model: { kind: kind as "name" | "variable", name: name.join(":") } });
          }}
        />
      </Field>
      <Field label="Prompts" name="source" problem={problemOf("prompts")}>
        <Choice
          name="source"
          value={values.source}
          options={[
            { value: "typed", label: "two prompts" },
            { value: "task", label: "a task" },
            ...(options.variables.pairs.length > 0
              ? [{ value: "pair" as const, label: "a PromptPair in a variable" }]
              : []),
          ]}
          onChange={(source) =>
            set({ source, pair: values.pair || (options.variables.pairs[0] ?? "") })
          }
        />
      </Field>
      {values.source === "typed" && <Typed {...{ values, set, options, problemOf, answerOf }} />}
      {values.source === "task" && <TaskFields {...{ values, set, options }} />}
      {values.source === "pair" && (
        <Field label="Variable" name="pair">
          <Choice
            name="pair"
            value={values.pair}
            options={options.variables.pairs.map((name) => ({ value: name, label: name }))}
            onChange={(pair) => set({ pair })}
          />
        </Field>
      )}
      {fresh && <Strips clean={checked.clean} corrupted={checked.corrupted} />}
      {fresh && checked.prompts !== null && checked.prompts > 1 && (
        <p class="cb-lab-note">The first of {checked.prompts} prompts.</p>
      )}
      {fresh && <Notes notes={checked.notes} />}
      <div class="cb-lab-pair">
        <Field label="Metric" name="metric" problem={problemOf("metric")}>
          <Choice
            name="metric"
            value={values.metric}
            options={options.metrics.map(({ name, unit }) => ({
              value: name,
              label: unit ? `${name} (${unit})` : name,
            }))}
            onChange={(metric) => set({ metric })}
          />
        </Field>
        <Field label="Run that is edited" name="base">
          <Choice
            name="base"
            value={values.base}
            options={[
              { value: "clean", label: "clean" },
              { value: "corrupted", label: "corrupted" },
            ]}
            onChange={(base) => set({ base })}
          />
        </Field>
      </div>
      {loadFirst !== null && (
        <p class="cb-lab-note" role="status">
          Tokens are looked at once the model is loaded.
        </p>
      )}
      {failed !== null && (
        <p class="cb-lab-problem" role="alert">
          {failed}
        </p>
      )}
      {fresh && checked.code !== null && (
        <details class="cb-lab-code">
          <summary>The cell that is run</summary>
          <pre data-cb="form-code">{checked.code}</pre>
        </details>
      )}
      <div class="cb-lab-ways">
        {loadFirst !== null ? (
          <button
            type="button"
            class="cb-lab-button"
            data-cb="form-load"
            disabled={running}
            onClick={() =>
              void run(
                `import circuitboard as cb\nmodel = cb.load(${JSON.stringify(loadFirst)})`,
                () => void loadOptions(),
              )
            }
          >
            {running ? "Loading …" : `Load ${loadFirst}`}
          </button>
        ) : (
          <button
            type="button"
            class="cb-lab-button cb-lab-main"
            data-cb="form-create"
            disabled={running || !fresh || checked.code === null}
            onClick={() => void run(checked?.code ?? "", props.onClose)}
          >
            {running ? "Creating …" : "Create"}
          </button>
        )}
        <button type="button" class="cb-lab-button" onClick={props.onClose}>
          Cancel
        </button>
      </div>
    </section>
  );
}

/** A kernel that goes away rejects what it was asked. */
async function orWords<T>(answer: Promise<Answer<T>>): Promise<Answer<T>> {
  try {
    return await answer;
  } catch {
    return { kind: "failed", words: "The kernel went away before it answered." };
  }
}

function modelOptions(options: FormOptions): { value: string; label: string }[] {
  return [
    ...options.variables.models.map(({ name, model, layers, heads }) => ({
      value: `variable:${name}`,
      label: `${name} (${model}, ${layers} × ${heads} heads)`,
    })),
    ...options.models.map(({ name, available }) => ({
      value: `name:${name}`,
      label: `${name} (${available})`,
    })),
  ];
}
