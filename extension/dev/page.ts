// The panel on a fake kernel: ?state= ?theme= ?w= ?model= ?map= choose what is shown.
import widget from "../src/widget";
import { FakeKernel } from "./fake_kernel";
import { DEFAULTS, type FakeOptions, IOI } from "./fake_options";
import { fillIn } from "./filling";
import { HOSTILE } from "./hostile";

const query = new URLSearchParams(location.search);
const state = query.get("state") ?? "edited";

const MODELS: Record<string, Partial<FakeOptions>> = {
  gpt2: {},
  demo: {
    layers: 4,
    heads: 8,
    model: "demo",
    effects: { "0.3": -1.2, "1.1": -3.4, "2.5": 0.8, "3.1": -2.2, "3.6": 0.4 },
    tokens: IOI.slice(1),
  },
  smollm2: {
    layers: 30,
    heads: 9,
    model: "smollm2-135m",
    effects: { "23.3": -3.1, "20.1": -1.1, "26.4": 0.9, "12.2": -0.6 },
    tokens: IOI.slice(1),
  },
  long: {
    tokens: [...IOI, ...IOI, ...IOI, ...IOI].map(([a, b, c]) =>
      c === "END" || c === "S2" ? [a, b] : [a, a],
    ),
  },
  dataset: {
    prompts: 64,
    moreMetrics: [
      ["p", "probability", 0.714],
      ["KL", "nats", 0.083],
    ],
  },
  huge: { prompts: 10_000 },
  wide: { layers: 48, heads: 64, prompts: 8, effects: {} },
  deep: {
    layers: 32,
    heads: 16,
    tokens: Array.from({ length: 2000 }, (_, i) => {
      const token = IOI[i % IOI.length] ?? ["", ""];
      return i < IOI.length ? token : [token[0], token[0]];
    }),
  },
  single: { hasCorrupted: false },
  noted: {
    notes: [
      [
        "answer_not_top",
        "The answer ' Hart' is at rank 33 with 0.5 % in its own, clean run; the likeliest is ' the' with 12.1 %.",
        "answer",
      ],
      ["prompt_ends_in_space", "The clean prompt ends in a space.", "clean"],
    ],
  },
  hostile: {
    prompts: 6,
    model: HOSTILE[1] ?? "",
    tokens: HOSTILE.map((text, i) => (i % 2 ? [text, text.slice(1), text] : [text, text, text])),
    moreMetrics: HOSTILE.map((text) => [text, text.slice(0, 40), 0.5]),
    notes: HOSTILE.map((text, i) => [`code_${i}`, text, text]),
  },
};

document.body.dataset.jpThemeLight = String(query.get("theme") !== "dark");
const slot = document.getElementById("slot");
if (slot === null) throw new Error("no slot");
slot.style.width = `${query.get("w") ?? 1100}px`;

const kernel = new FakeKernel({
  ...DEFAULTS,
  ...MODELS[query.get("model") ?? "gpt2"],
  ...(state === "loading" ? { mute: new Set(["hello"]) } : {}),
});
const map = kernel.options.maps.find((kind) => kind === query.get("map")) ?? "head";
kernel.view = { ...kernel.view, map, map_layer: 3 };
if (query.get("colours") === "purple-green") kernel.view.colours = "purple-green";
if (state === "computing") {
  kernel.known = 60;
  kernel.status = "computing";
}
widget.render({ model: kernel as never, el: slot });
// For whoever drives the page by hand or by a script.
Object.assign(globalThis, { kernel });

const click = (selector: string): void => slot.querySelector<HTMLElement>(selector)?.click();
const script: Record<string, () => void> = {
  empty: () => undefined,
  loading: () => undefined,
  edited: () => {
    for (const site of [
      [9, 9],
      [10, 0],
      [5, 5],
      [2, 2],
    ])
      click(`[data-cb="head"][data-layer="${site[0]}"][data-head="${site[1]}"]`);
    for (const cell of [
      [5, 10],
      [9, 14],
    ])
      click(`[data-cb="cell"][data-layer="${cell[0]}"][data-pos="${cell[1]}"]`);
  },
  computing: () => script.edited?.(),
  strengths: () => {
    script.edited?.();
    kernel.send({
      kind: "apply",
      id: "page",
      edits: [
        { site: "9.6", how: "scale", strength: 0.5 },
        { site: "resid_pre 5 @ 14", how: "add", strength: 2, values: [1, 2, 3] },
        { site: "10.7", how: "freeze" },
        { site: "3.0", how: "set", values: [0.5] },
      ],
    });
  },
  running: () => {
    script.edited?.();
    kernel.seq += 1;
    kernel.post({ kind: "busy", seq: kernel.seq, what: "zero 9.6" });
    (kernel.options.mute as Set<string>).add("click");
    click('[data-layer="9"][data-head="6"]');
    kernel.revision += 1;
  },
  stale: () => {
    script.edited?.();
    kernel.revision += 1;
    kernel.announce();
  },
  cancelled: () => {
    script.edited?.();
    kernel.known = 61;
    kernel.status = "cancelled";
    kernel.sendMap();
  },
  error: () => {
    script.edited?.();
    (kernel.options.mute as Set<string>).add("click");
    click('[data-layer="10"][data-head="7"]');
    const last = kernel.received.at(-1);
    kernel.post({
      kind: "failed",
      id: last?.id,
      error: {
        code: "out_of_memory",
        message: "Out of memory: one cell needs 3.1 GB, 0.4 GB is free. The board is unchanged.",
        where: "10.7",
      },
    });
  },
  detail: () => {
    script.edited?.();
    const steps = [
      '[data-cb="undo"]',
      '[data-cb="head"][data-layer="7"][data-head="9"]',
      '[data-cb="history-node"][data-node="2"]',
      '[data-cb="head"][data-layer="9"][data-head="6"]',
      '[data-cb="cell"][data-row="2"]',
      "none",
      "none",
      '[data-cb="detail-by-position"]',
    ];
    for (const [i, step] of steps.entries()) setTimeout(() => click(step), 60 * i);
  },
  frozen: () => {
    click('[data-cb="live"]');
    click('[data-cb="head"][data-layer="9"][data-head="6"]');
  },
  disconnected: () => {
    script.edited?.();
    kernel.emit("comm:close");
  },
  // The kernel goes after everything has been read, the code of the state too.
  gone: () => {
    script.edited?.();
    setTimeout(() => kernel.emit("comm:close"), 2000);
  },
  off_scale: () => {
    (kernel.options as { effects: object }).effects = { "9.9": -9.5 };
    click('[data-layer="9"][data-head="9"]');
  },
  positions: () => {
    click('[data-cb="token"][data-pos="10"]');
    kernel.view = { ...kernel.view, positions: [10, 14] };
    kernel.announce();
    kernel.sendMap();
    script.edited?.();
    click('[data-cb="edit-toggle"]');
    click('[data-cb="verify"]');
  },
  filling: () => {
    kernel.known = undefined;
    fillIn(kernel, () => kernel.sendMap(), Math.ceil(kernel.options.layers * 20), 24);
  },
  nan: () => {
    kernel.headEffect = (layer, head) =>
      (layer + head) % 5 === 0 ? Number.NaN : layer === 3 ? Number.POSITIVE_INFINITY : 0.1 * head;
    kernel.mapId += 1;
    kernel.sendMap();
  },
};
setTimeout(() => script[state]?.(), 20);
