// Where the field's words come from.

export interface Paper {
  /** As it is cited on the board. */
  short: string;
  title: string;
  /** Where to find it. */
  where: string;
}

export const PAPERS = {
  chan: {
    short: "Chan et al. 2022",
    title: "Causal Scrubbing: a method for rigorously testing interpretability hypotheses",
    where: "Alignment Forum",
  },
  conmy: {
    short: "Conmy et al. 2023",
    title: "Towards Automated Circuit Discovery for Mechanistic Interpretability",
    where: "NeurIPS 2023, arXiv:2304.14997",
  },
  elhage: {
    short: "Elhage et al. 2021",
    title: "A Mathematical Framework for Transformer Circuits",
    where: "transformer-circuits.pub",
  },
  heimersheim: {
    short: "Heimersheim & Nanda 2024",
    title: "How to use and interpret activation patching",
    where: "arXiv:2404.15255",
  },
  kramar: {
    short: "Kram\u00e1r et al. 2024",
    title: "AtP*: An efficient and scalable method for localizing LLM behaviour to components",
    where: "arXiv:2403.00745",
  },
  meng: {
    short: "Meng et al. 2022",
    title: "Locating and Editing Factual Associations in GPT",
    where: "NeurIPS 2022, arXiv:2202.05262",
  },
  nanda: {
    short: "Nanda 2023",
    title: "Attribution Patching: Activation Patching At Industrial Scale",
    where: "neelnanda.io",
  },
  nostalgebraist: {
    short: "nostalgebraist 2020",
    title: "interpreting GPT: the logit lens",
    where: "LessWrong",
  },
  olsson: {
    short: "Olsson et al. 2022",
    title: "In-context Learning and Induction Heads",
    where: "arXiv:2209.11895",
  },
  wang: {
    short: "Wang et al. 2023",
    title:
      "Interpretability in the Wild: a Circuit for Indirect Object Identification in GPT-2 small",
    where: "ICLR 2023, arXiv:2211.00593",
  },
  zhang: {
    short: "Zhang & Nanda 2024",
    title: "Towards Best Practices of Activation Patching in Language Models: Metrics and Methods",
    where: "ICLR 2024, arXiv:2309.16042",
  },
} as const satisfies Record<string, Paper>;

export type PaperName = keyof typeof PAPERS;
