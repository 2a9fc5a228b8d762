// A kernel for the page of the browser tests, which play no recordings yet: it keeps the protocol's promises on
// invented numbers. Effects simply add up, so every number drawn can be worked out by hand.
import type { Channel } from "../src/protocol/connection";
import { EXACT } from "../src/protocol/decode";
import type {
  AnyRequest,
  EditRow,
  EditSpec,
  MapEvent,
  Setup,
  Snapshot,
  View,
} from "../src/protocol/generated";
import { comparisonOf } from "./fake_comparison";
import { detailOf } from "./fake_detail";
import { listAfter } from "./fake_edits";
import { FakeHistory } from "./fake_history";
import { cellsOf, errorsOf } from "./fake_map";
import { errorBars, noise, toReal } from "./fake_numbers";
import { DEFAULTS, type FakeOptions, FIRST_VIEW } from "./fake_options";
import { setupOf } from "./fake_setup";
import { Listeners } from "./listeners";

type Edits = readonly EditRow[];

export class FakeKernel extends Listeners implements Channel {
  readonly options: FakeOptions;
  readonly received: AnyRequest[] = [];
  view: View = FIRST_VIEW;
  base: "clean" | "corrupted" = "clean";
  revision = 0;
  /** What is another in the model than when it was measured. */
  modelChanged: string | null = null;
  seq = 0;
  mapId = 0;
  status: MapEvent["status"] = "done";
  error: MapEvent["error"] = null;
  known: number | undefined;
  readonly history: FakeHistory;
  #last = 0;
  #remeasured = false;
  #mapOf = 0;

  constructor(options: Partial<FakeOptions> = {}) {
    super();
    this.options = { ...DEFAULTS, ...options };
    this.known = this.options.known;
    this.history = new FakeHistory((edits) => this.#value(edits));
    this.#last = this.#value(this.edits);
  }

  get edits(): Edits {
    return this.history.edits;
  }

  send(content: unknown): void {
    const request = content as AnyRequest;
    this.received.push(request);
    if (!this.options.mute.has(request.kind)) this.#answer(request);
  }

  headEffect(layer: number, head: number): number {
    return this.options.effects[`${layer}.${head}`] ?? noise(layer * 31 + head + 1);
  }

  residEffect(layer: number, position: number): number {
    const tokens = this.options.tokens;
    const differs = tokens.findIndex(([a, b]) => a !== b);
    if (position < differs) return 0;
    const share = layer / Math.max(1, this.options.layers - 1);
    if (position === differs) return -6.6 * (1 - share ** 2);
    if (position === tokens.length - 1) return -6.6 * share ** 3;
    return noise(layer * 57 + position);
  }

  setup(): Setup {
    return setupOf(this.options);
  }

  snapshot(): Snapshot {
    const value = this.#value(this.edits);
    const { prompts, hasCorrupted } = this.options;
    const start = this.#value([]);
    const several = prompts > 1 ? 1 : 0;
    const bases = Array.from({ length: prompts }, (_, i) => start + several * noise(i + 3) * 5);
    // An edit moves every prompt by about as much, and one in 23 much more.
    const values = bases.map(
      (base, i) =>
        base + (value - start) * (1 + several * (noise(i + 40) + (i % 23 === 5 ? 1.6 : 0))),
    );
    const shift = Math.max(0, Math.min(1, (3.6 - value) / 6.7));
    const token = (text: string, id: number, before: number, now: number) => ({
      token: text,
      token_id: id,
      prob: toReal(now),
      base_prob: toReal(before),
      logit: toReal(Math.log(now)),
      base_logit: toReal(Math.log(before)),
    });
    const ranked = [
      token(" Mary", 5335, 0.684, 0.684 * (1 - shift)),
      token(" John", 1757, 0.019, 0.019 + 0.5 * shift),
      token(" the", 262, 0.041, 0.076),
      token(" them", 606, 0.022, 0.048),
      token(" her", 607, 0.027, 0.034),
      token(" a", 257, 0.011, 0.012),
    ];
    const sides: Record<string, "answer" | "wrong"> = { " Mary": "answer", " John": "wrong" };
    return {
      revision: this.revision,
      base: this.base,
      metric: {
        name: "logit_diff",
        unit: "logits",
        value: toReal(value),
        values: values.map(toReal),
        base_values: bases.map(toReal),
        ...errorBars(value, 0.22, prompts),
        change: this.revision === 0 ? null : toReal(value - this.#last),
        baselines: { clean: toReal(3.6), corrupted: hasCorrupted ? toReal(-3.1) : null },
      },
      more_metrics: this.options.moreMetrics.map(([name, unit, at]) => ({
        name,
        unit,
        value: toReal(at),
        values: values.map(() => toReal(at)),
        base_values: values.map(() => toReal(at)),
        ...errorBars(at, 0.01, prompts),
        change: null,
        baselines: { clean: toReal(at), corrupted: hasCorrupted ? toReal(0) : null },
      })),
      edits: [...this.edits],
      groups: [],
      can_undo: this.history.canUndo,
      can_redo: this.history.canRedo,
      history: this.history.tree(),
      top_tokens: {
        prompt: this.view.prompt,
        at: "END",
        rows: ranked.map((row) => ({
          ...row,
          rank:
            1 + ranked.filter((other) => (other.prob.value ?? 0) > (row.prob.value ?? 0)).length,
          side: sides[row.token] ?? null,
        })),
      },
      notes: this.options.notes.map(([code, text, where]) => ({ code, text, where })),
      view: this.view,
      latency_ms: 6.2,
      model_changed: this.modelChanged,
      unkept: this.options.unkept,
    };
  }

  /** Send the state to every view, as after a step. */
  announce(): void {
    this.seq += 1;
    const setup = this.#remeasured ? this.setup() : null;
    this.#remeasured = false;
    this.post({ kind: "snapshot", seq: this.seq, snapshot: this.snapshot(), setup });
  }

  /** Send the map that is being looked at to every view. */
  sendMap(): void {
    const { map: over, mode, positions } = this.view;
    const { layers, shape, effect, index } = cellsOf(this.view, this.options, this);
    const total = effect.length;
    const byPosition = over !== "head" && over !== "neuron";
    const order = [...effect.keys()].sort(
      (a, b) => Math.abs(effect[b] ?? 0) - Math.abs(effect[a] ?? 0),
    );
    const done = Math.min(total, this.known ?? total);
    const known = new Uint8Array(total);
    for (const i of order.slice(0, done)) known[i] = EXACT;
    const stderr = errorsOf(effect, known, this.options.prompts);
    this.seq += 1;
    const event: MapEvent & { kind: "map" } = {
      kind: "map",
      seq: this.seq,
      map_id: this.mapId,
      revision: this.#mapOf,
      over,
      how: mode,
      base: this.base,
      positions: byPosition ? null : positions,
      n_edits: this.edits.length,
      layers,
      shape,
      done,
      total,
      status: this.status,
      error: this.error,
      elapsed_ms: 62,
      buffers: [
        "effect",
        "known",
        ...(stderr === null ? [] : (["stderr"] as const)),
        ...(index === null ? [] : (["index"] as const)),
      ],
      since: null,
    };
    const buffers = [effect, known, stderr, index].filter((array) => array !== null);
    this.post(
      event,
      buffers.map(({ buffer }) => new DataView(buffer as ArrayBuffer)),
    );
  }

  #value(edits: Edits): number {
    const start = this.base === "clean" ? 3.6 : -3.1;
    return edits.reduce(
      (value, edit) => value + (edit.enabled ? (edit.effect?.value ?? 0) : 0),
      start,
    );
  }

  #row(site: string, positions: number[] | null): EditRow {
    const [kind, place] = site.includes(" ") ? site.split(" ") : ["head", site];
    const [layer = 0, index = null] = (place ?? "").split(".").map(Number);
    const effect =
      index === null ? this.residEffect(layer, positions?.[0] ?? 0) : this.headEffect(layer, index);
    const labels = positions?.map((p) => this.options.tokens[p]?.[2] ?? String(p)).join(", ");
    return {
      site,
      kind: kind as EditRow["kind"],
      layer,
      index,
      how: this.view.mode,
      what: `${this.view.mode} ${site}${labels === undefined ? "" : ` @ ${labels}`}`,
      strength: null,
      positions,
      at: labels ?? "all",
      enabled: true,
      effect: toReal(effect),
      norm_before: toReal(31.4),
      norm_change: toReal(effect === 0 ? 0 : 18.2 + layer),
      name: null,
      group: null,
      sources: null,
      renormalize: false,
    };
  }

  /** An edit in words; one that takes a strength has so much more of the effect. */
  #asked(spec: EditSpec): EditRow {
    const { site, how, strength, values } = spec;
    const [place = site, at = null] = site.split(" @ ");
    const positions = at === null ? null : [Number(at)];
    const vector = `a tensor [${values?.length ?? 1}]`;
    const size = strength ?? 1;
    const more: Partial<Record<EditSpec["how"], string>> = {
      scale: ` \u00d7${size}`,
      add: ` + ${size === 1 ? "" : `${size} \u00b7 `}${vector}`,
      set: ` = ${vector}`,
    };
    return this.#strengthened(
      {
        ...this.#row(place, positions),
        how,
        what: `${how} ${site}${more[how] ?? ""}`,
        at: at ?? "all",
      },
      how === "scale" || how === "add" ? size : null,
    );
  }

  #strengthened(edit: EditRow, strength: number | null): EditRow {
    if (strength === null) return edit;
    const effect = this.headEffect(edit.layer, edit.index ?? 0) * strength;
    return { ...edit, strength: toReal(strength), effect: toReal(effect) };
  }

  #step(edits: Edits, label = "a step"): void {
    this.#go(() => this.history.step(edits, label));
  }

  #go(step: () => void): void {
    this.#last = this.#value(this.edits);
    step();
    this.revision += 1;
  }

  #act(request: AnyRequest): void {
    switch (request.kind) {
      case "remove":
      case "toggle":
        this.#step(listAfter(request, this.edits), request.kind);
        break;
      case "click": {
        const same = this.edits.filter((edit) => edit.site === request.site);
        const positions = request.positions ?? null;
        if (same.length > 0)
          this.#step(
            this.edits.filter((edit) => edit.site !== request.site),
            `${request.site} back`,
          );
        else {
          const row = this.#row(request.site, positions);
          this.#step([...this.edits, row], row.what);
        }
        break;
      }
      case "apply":
        this.#step([...this.edits, ...request.edits.map((spec) => this.#asked(spec))]);
        break;
      case "undo":
        this.#go(() => this.history.undo());
        break;
      case "redo":
        this.#go(() => this.history.redo());
        break;
      case "restore":
        this.#go(() => this.history.restore(request.node));
        break;
      case "clear":
        this.#step([], "clear");
        break;
      case "refresh":
        this.modelChanged = null;
        this.#remeasured = true;
        this.revision += 1;
        break;
      case "set_base":
        this.base = request.base;
        this.revision += 1;
        break;
      case "set_view": {
        const { kind: _, id: __, ...patch } = request;
        this.view = { ...this.view, ...patch };
        if ("map" in patch || "map_layer" in patch || "mode" in patch || patch.live === true)
          this.#mapOf = this.revision;
        break;
      }
      case "cancel_map":
        this.status = "cancelled";
        break;
      case "resume_map":
        this.status = "done";
        this.known = undefined;
        this.#mapOf = this.revision;
        break;
      default:
        break;
    }
  }

  #answer(request: AnyRequest): void {
    const { id } = request;
    switch (request.kind) {
      case "hello":
        this.post({
          kind: "welcome",
          id,
          seq: this.seq,
          setup: this.setup(),
          snapshot: this.snapshot(),
        });
        break;
      case "verify":
        this.post({
          kind: "verified",
          id,
          max_abs_error: toReal(3.8e-6),
          tolerance: 1e-4,
          ok: true,
          tier: "replay",
          disagrees: null,
        });
        return;
      case "copy_code":
        this.post({
          kind: "code",
          id,
          text: "board = cb.Board(model, pair)\nboard.edit(cb.head(9, 9).zero())\n",
        });
        return;
      case "set_strength":
      case "move":
      case "group":
      case "rename":
      case "note":
      case "export":
      case "save":
      case "trace":
      case "readers": {
        const message = "This page has no kernel that could do that.";
        this.post({ kind: "failed", id, error: { code: "no_kernel", message, where: null } });
        return;
      }
      case "detail": {
        const { answer, buffers } = detailOf(request, this, this.options);
        this.post(answer, buffers);
        return;
      }
      case "compare": {
        const { answer, buffers } = comparisonOf(request, this);
        this.post(answer, buffers);
        return;
      }
      default:
        this.#act(request);
        if (this.view.live) this.#mapOf = this.revision;
        else if (this.#mapOf !== this.revision) {
          this.announce();
          this.post({ kind: "done", id, revision: this.revision });
          return;
        }
        this.mapId += 1;
        this.announce();
        this.post({ kind: "done", id, revision: this.revision });
    }
    this.sendMap();
  }
}
