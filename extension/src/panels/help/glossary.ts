// Every word of the field that the board uses: one sentence, and the paper it comes from.
import type { PaperName } from "./papers";

export interface Entry {
  name: string;
  /** One sentence. */
  says: string;
  papers?: readonly PaperName[];
  /** The key that chooses it. */
  key?: string;
}

/** The order is the order in the list of words. */
export const GLOSSARY = {
  // What is measured.
  metric: {
    name: "Metric",
    says: "One number for what the model says, computed for each prompt and averaged over them.",
    papers: ["zhang"],
  },
  logit_diff: {
    name: "Logit difference",
    says: "The logit of the answer minus the logit of the wrong answer where the answer is read; 0 means that both are equally likely.",
    papers: ["wang"],
  },
  prob: {
    name: "Probability",
    says: "What the softmax gives the answer where it is read, between 0 and 1.",
    papers: ["zhang"],
  },
  log_prob: {
    name: "Log probability",
    says: "The natural logarithm of the answer\u2019s probability, in nats; 0 is certain.",
    papers: ["heimersheim"],
  },
  rank: {
    name: "Rank",
    says: "One plus the number of tokens with a larger logit than the answer\u2019s: 1 is the top.",
  },
  kl: {
    name: "KL divergence",
    says: "How far the next-token distribution is from the unedited base run\u2019s, in nats; 0 means that nothing changed.",
    papers: ["conmy"],
  },
  loss: {
    name: "Loss",
    says: "Cross-entropy of the text\u2019s own next tokens, in nats a token: lower is better.",
  },
  normalised: {
    name: "Normalised effect",
    says: "An effect as a share of the distance from the corrupted to the clean run\u2019s metric.",
    papers: ["zhang"],
  },
  stderr: {
    name: "Standard error",
    says: "How far the mean over these prompts is likely to be from the mean over all such prompts.",
  },
  interval: {
    name: "95% interval",
    says: "If prompts were drawn anew again and again, 95 of 100 such intervals would hold the true mean.",
  },

  // The runs.
  clean: {
    name: "Clean run",
    says: "The model on the prompt where the answer is right.",
    papers: ["meng", "heimersheim"],
  },
  corrupted: {
    name: "Corrupted run",
    says: "The model on a prompt that differs in few tokens, so that the answer is no longer right.",
    papers: ["meng", "zhang"],
  },
  base: {
    name: "Base run",
    key: "b",
    says: "The run that is edited; the other one is where patches come from.",
  },
  positions: {
    name: "Positions",
    says: "The tokens where edits act: click or drag over tokens to choose them.",
  },

  // What a click does.
  zero: {
    name: "Zero ablation",
    key: "1",
    says: "The activation is set to 0 at the chosen positions and everything after it is recomputed.",
    papers: ["wang", "zhang"],
  },
  mean: {
    name: "Mean ablation",
    key: "2",
    says: "The activation is set to its mean over the reference prompts, position by position.",
    papers: ["wang"],
  },
  resample: {
    name: "Resample ablation",
    key: "3",
    says: "The activation is taken from another reference prompt, at the same position.",
    papers: ["chan"],
  },
  patch: {
    name: "Activation patching",
    key: "4",
    says: "The activation is taken from the other run at the same positions: from corrupted into clean it is noising, from clean into corrupted denoising.",
    papers: ["meng", "heimersheim"],
  },
  scale: {
    name: "Scale",
    says: "The activation is multiplied by the strength: 0 is zero ablation, 1 changes nothing.",
  },
  add: { name: "Add", says: "A vector, times the strength, is added to the activation." },
  freeze: {
    name: "Freeze",
    says: "The activation is held at what it is in the base run while other edits act.",
    papers: ["wang"],
  },

  // What is edited.
  head: {
    name: "Attention head",
    says: "One of a layer\u2019s attention units; an edit acts on its z, what it has gathered before the output weights.",
    papers: ["elhage"],
  },
  qkv: {
    name: "q, k and v",
    says: "The query says what a token looks for, the key what it is found by, the value what is moved when it is found.",
    papers: ["elhage"],
  },
  pattern: {
    name: "Attention pattern",
    says: "How much each token takes from each token up to it: every row sums to 1.",
    papers: ["elhage"],
  },
  qk: {
    name: "QK circuit",
    says: "The weights by which a head decides where to look.",
    papers: ["elhage"],
  },
  ov: {
    name: "OV circuit",
    says: "The weights by which a head turns what it looks at into what it writes.",
    papers: ["elhage"],
  },
  induction: {
    name: "Induction head",
    says: "A head that looks at what followed the current token earlier, and says it again.",
    papers: ["olsson"],
  },
  resid: {
    name: "Residual stream",
    says: "The sum of all that the layers before have written at a position, which every later layer reads.",
    papers: ["elhage"],
  },
  resid_pre: {
    name: "resid_pre",
    says: "The residual stream as it enters a layer.",
    papers: ["elhage"],
  },
  attn_out: {
    name: "attn_out",
    says: "What all heads of a layer together write into the residual stream.",
  },
  mlp_out: { name: "mlp_out", says: "What a layer\u2019s MLP writes into the residual stream." },
  neuron: {
    name: "Neuron",
    says: "One unit of an MLP, after its non-linearity; it writes one direction, as strongly as it is active.",
  },

  // What is shown of it.
  effect: {
    name: "Effect",
    says: "The metric with this edit minus the metric without it, on top of the other edits.",
    papers: ["zhang"],
  },
  total: {
    name: "Total effect",
    says: "How the metric changes when the component is edited and all that depends on it follows.",
    papers: ["meng"],
  },
  direct: {
    name: "Direct effect",
    says: "What the component alone adds to logit(answer) \u2212 logit(wrong), with the final norm\u2019s scale held fixed: direct logit attribution.",
    papers: ["elhage", "wang"],
  },
  congruence: {
    name: "Congruence",
    says: "How well the direction that a neuron writes agrees with answer minus wrong: W_out \u00b7 (W_U[answer] \u2212 W_U[wrong]).",
  },
  lens: {
    name: "Logit lens",
    says: "The residual stream read as if the model ended there: final norm and unembedding applied at once.",
    papers: ["nostalgebraist"],
  },
  trace: {
    name: "Trace upstream",
    says: "Which earlier components move this head\u2019s q, k or v here, and by how much.",
    papers: ["wang"],
  },
  edges: {
    name: "Edges",
    says: "What one component writes and one later component reads, edited alone: a single line of the circuit.",
    papers: ["conmy", "wang"],
  },

  // How far it can be trusted.
  exact: {
    name: "Exact",
    says: "Each number is a full run of the model with the edits in force, not an estimate.",
  },
  approximate: {
    name: "Approximate",
    says: "A hatched cell is an estimate from one gradient (AtP) until its own run is done.",
    papers: ["nanda"],
  },
  atp: {
    name: "AtP, attribution patching",
    says: "All effects at once to first order: the change of the activation times the metric\u2019s gradient there.",
    papers: ["nanda"],
  },
  atp_star: {
    name: "AtP*",
    says: "AtP with the attention recomputed for q and k and with layers dropped in turn, which finds what saturation and cancellation hide.",
    papers: ["kramar"],
  },
  tier: {
    name: "Engine tier",
    says: "How the runs are made: wavefront computes only what an edit can change, replay calls the model\u2019s own layers again from the first edited one, hooked is plain TransformerLens.",
  },
  verify: {
    name: "Verify",
    says: "Runs your model itself, first unedited and then with plain TransformerLens hooks for the edits, and says how far the two differ at most.",
  },
  receipt: {
    name: "Sites changed",
    says: "The receipt: how many activations the edits really changed, and by what norm.",
  },
  live: {
    name: "Live map",
    key: "l",
    says: "After each edit the map is computed again on top of it, so that what takes over lights up.",
    papers: ["wang"],
  },
  clipping: {
    name: "Clipping",
    says: "Colours end at the 98th percentile of |effect|, the same on both sides; what lies beyond is named.",
  },
  history: {
    name: "History",
    says: "Every state the board was in, as a tree: going back and editing on keeps the old branch.",
  },
} as const satisfies Record<string, Entry>;

export type TermName = keyof typeof GLOSSARY;

/** The term for a metric, by the name it has in Python; null for the user's own. */
export function metricTerm(name: string): TermName | null {
  const terms: readonly string[] = ["logit_diff", "prob", "log_prob", "rank", "kl", "loss"];
  return terms.includes(name) ? (name as TermName) : null;
}

/** The term for a site, as the kernel writes it. */
export function siteTerm(site: string): TermName | null {
  if (/^\d+\.\d+$/.test(site)) return "head";
  const [kind] = site.split(" ");
  return kind === "neuron" || kind === "resid_pre" || kind === "attn_out" || kind === "mlp_out"
    ? kind
    : null;
}

export function isTerm(name: string | undefined): name is TermName {
  return name !== undefined && Object.hasOwn(GLOSSARY, name);
}
