// The fields of the form that say what the prompts are.
import type { JSX } from "preact";
import type { FormOptions, Problem } from "../../protocol/generated";
import { Choice, Field } from "./Fields";
import type { FormValues } from "./values";

interface PartProps {
  values: FormValues;
  set: (patch: Partial<FormValues>) => void;
  options: FormOptions;
}

interface TypedProps extends PartProps {
  problemOf: (field: Problem["field"]) => string | undefined;
  answerOf: (field: "answer" | "wrong") => string | undefined;
}

export function Typed({ values, set, options, problemOf, answerOf }: TypedProps): JSX.Element {
  const { texts } = options.variables;
  return (
    <>
      <PromptField
        label="Clean prompt"
        name="clean"
        text={values.clean}
        variable={values.cleanVariable}
        texts={texts}
        problem={problemOf("clean")}
        onText={(clean) => set({ clean })}
        onVariable={(cleanVariable) => set({ cleanVariable })}
      />
      <PromptField
        label="Corrupted prompt (may be left out)"
        name="corrupted"
        text={values.corrupted}
        variable={values.corruptedVariable}
        texts={texts}
        problem={problemOf("corrupted")}
        onText={(corrupted) => set({ corrupted })}
        onVariable={(corruptedVariable) => set({ corruptedVariable })}
      />
      <div class="cb-lab-pair">
        <AnswerField
          label="Right next token"
          name="answer"
          value={values.answer}
          problem={problemOf("answer")}
          words={answerOf("answer")}
          onInput={(answer) => set({ answer })}
        />
        <AnswerField
          label="Wrong next token"
          name="wrong"
          value={values.wrong}
          problem={problemOf("wrong")}
          words={answerOf("wrong")}
          onInput={(wrong) => set({ wrong })}
        />
      </div>
    </>
  );
}

interface PromptFieldProps {
  label: string;
  name: string;
  text: string;
  variable: string | null;
  texts: readonly string[];
  problem: string | undefined;
  onText: (text: string) => void;
  onVariable: (variable: string | null) => void;
}

const TYPED = "";

function PromptField(props: PromptFieldProps): JSX.Element {
  const { name, variable } = props;
  return (
    <>
      <Field label={props.label} name={name} problem={props.problem}>
        {variable === null ? (
          <textarea
            class="jp-mod-styled"
            name={name}
            rows={3}
            value={props.text}
            onInput={(event) => props.onText(event.currentTarget.value)}
          />
        ) : (
          <input class="jp-mod-styled" name={name} value={variable} readOnly />
        )}
      </Field>
      {props.texts.length > 0 && (
        <Field label={`Where the ${name} prompt comes from`} name={`${name}-from`}>
          <Choice
            name={`${name}-from`}
            value={variable ?? TYPED}
            options={[
              { value: TYPED, label: "typed here" },
              ...props.texts.map((text) => ({ value: text, label: `variable ${text}` })),
            ]}
            onChange={(value) => props.onVariable(value === TYPED ? null : value)}
          />
        </Field>
      )}
    </>
  );
}

interface AnswerFieldProps {
  label: string;
  name: string;
  value: string;
  problem: string | undefined;
  words: string | undefined;
  onInput: (value: string) => void;
}

function AnswerField(props: AnswerFieldProps): JSX.Element {
  return (
    <div>
      <Field label={props.label} name={props.name} problem={props.problem}>
        <input
          class="jp-mod-styled"
          name={props.name}
          value={props.value}
          spellcheck={false}
          onInput={(event) => props.onInput(event.currentTarget.value)}
        />
      </Field>
      {props.words !== undefined && props.problem === undefined && (
        <p class="cb-lab-note" data-cb="form-answer" data-field={props.name}>
          {props.words}
        </p>
      )}
    </div>
  );
}

export function TaskFields({ values, set, options }: PartProps): JSX.Element {
  const asks = options.tasks.find(({ name }) => name === values.task)?.asks;
  return (
    <>
      <Field label="Task" name="task">
        <Choice
          name="task"
          value={values.task}
          options={options.tasks.map(({ name }) => ({ value: name, label: name }))}
          onChange={(task) => set({ task })}
        />
      </Field>
      {asks && <p class="cb-lab-note">{asks}</p>}
      <div class="cb-lab-pair">
        <NumberField
          label="Prompts"
          name="n"
          value={values.n}
          least={1}
          onInput={(n) => set({ n })}
        />
        <NumberField
          label="Seed"
          name="seed"
          value={values.seed}
          least={0}
          onInput={(seed) => set({ seed })}
        />
      </div>
    </>
  );
}

interface NumberFieldProps {
  label: string;
  name: string;
  value: number;
  least: number;
  onInput: (value: number) => void;
}

function NumberField({ label, name, value, least, onInput }: NumberFieldProps): JSX.Element {
  return (
    <Field label={label} name={name}>
      <input
        class="jp-mod-styled"
        type="number"
        name={name}
        min={least}
        step={1}
        value={value}
        onInput={(event) => {
          const given = event.currentTarget.valueAsNumber;
          if (Number.isInteger(given) && given >= least) onInput(given);
        }}
      />
    </Field>
  );
}
