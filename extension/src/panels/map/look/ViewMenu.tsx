// How the map is looked at: unit, order, what is left out, and what it is compared with. It changes
// nothing in the kernel, and the caption states it.
import type { JSX, TargetedKeyboardEvent } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Button } from "../../../parts/controls";
import { MAPS } from "../../../protocol/vocabulary.gen";
import { isPlain, type Kept, type Look, PLAIN, stateName } from "../../../store/look";
import { type BoardState, currentMap, shownView } from "../../../store/state";
import type { Actions } from "../../actions";
import { layerOf } from "../grid/cells";
import { sizeWords } from "../words/look_words";
import { COLOUR_MAPS, type ColourMap, type Palette } from "./colour";
import { Field, Select, Threshold } from "./fields";
import { type Plane, shareOf } from "./plane";

/** What the live map can be compared with: named by state, and only where there is something. */
function candidates(state: BoardState): Map<string, Kept> {
  const map = currentMap(state);
  const found = new Map<string, Kept>();
  if (map === null || state.snapshot === null) return found;
  const unedited = state.unedited[map.over];
  if (unedited !== undefined)
    found.set("unedited", { map: unedited, name: `${unedited.base} run`, unedited: true });
  if (map.revision === state.snapshot.revision && map.status !== "computing" && map.n_edits > 0)
    found.set("now", { map, name: stateName(state.snapshot), unedited: false });
  return found;
}

interface MenuProps {
  state: BoardState;
  plane: Plane;
  palette: Palette;
  act: Actions;
}

function Fields({ state, plane, palette, act }: MenuProps): JSX.Element {
  const { look, kept, snapshot } = state;
  const { map } = plane;
  const set = (patch: Partial<Look>): void => act.look(patch);
  const share = snapshot === null ? null : shareOf(snapshot.metric.baselines);
  const end = plane.clip / Math.abs(plane.factor);
  const [first, last] = look.layers ?? [map.layers[0] ?? 0, map.layers.at(-1) ?? 0];
  const layers = map.layers.map((_, row) => String(layerOf(map, row)));
  const range = (from: number, to: number): void => {
    const whole = from <= (map.layers[0] ?? 0) && to >= (map.layers.at(-1) ?? 0);
    set({ layers: whole ? null : [Math.min(from, to), Math.max(from, to)] });
  };
  const { cells } = MAPS[map.over];
  const others = candidates(state);
  const colours = shownView(state)?.colours ?? COLOUR_MAPS[0] ?? "";
  return (
    <>
      <Field label="Effect in" term="normalised">
        {(id) => (
          <Select
            id={id}
            cb="view-unit"
            value={share === null ? "metric" : look.unit}
            options={[
              ["metric", snapshot?.metric.unit ?? ""],
              [
                "share",
                "share of clean \u2212 corrupted",
                share === null ? "There is no corrupted run to take a share of." : null,
              ],
            ]}
            onChoose={(unit) => set({ unit: unit as Look["unit"] })}
          />
        )}
      </Field>
      <Field label="Sort by">
        {(id) => (
          <Select
            id={id}
            cb="view-order"
            value={look.order}
            options={[
              ["layer", map.over === "head_pos" ? "head" : "layer"],
              ["rows", "effect: rows"],
              ["columns", "effect: columns"],
              ["both", "effect: both"],
            ]}
            onChoose={(order) => set({ order: order as Look["order"] })}
          />
        )}
      </Field>
      <Field label="Show">
        {(id) => (
          <Select
            id={id}
            cb="view-show"
            value={look.show}
            options={[
              ["all", `all ${cells}`],
              ["edited", "edited only"],
              ["exact", "exact only"],
            ]}
            onChoose={(show) => set({ show: show as Look["show"] })}
          />
        )}
      </Field>
      {map.over === "head_pos" ? null : (
        <Field label="From layer">
          {(id) => (
            <span class="cb-view-threshold">
              <Select
                id={id}
                cb="view-from"
                value={String(first)}
                options={layers.map((layer) => [layer, layer])}
                onChoose={(layer) => range(Number(layer), last)}
              />
              <label for={`${id}-to`}>to</label>
              <Select
                id={`${id}-to`}
                cb="view-to"
                value={String(last)}
                options={layers.map((layer) => [layer, layer])}
                onChoose={(layer) => range(first, Number(layer))}
              />
            </span>
          )}
        </Field>
      )}
      <Field label="Hide below">
        {(id) => (
          <Threshold
            id={id}
            cb="view-hide"
            value={look.hideBelow}
            end={end}
            text={sizeWords(plane, look.hideBelow)}
            onChange={(hideBelow) => set({ hideBelow })}
          />
        )}
      </Field>
      <Field label="Numbers from">
        {(id) => (
          <Threshold
            id={id}
            cb="view-numbers"
            value={plane.numbersFrom / Math.abs(plane.factor)}
            end={end}
            text={sizeWords(plane, plane.numbersFrom / Math.abs(plane.factor))}
            onChange={(numbersFrom) => set({ numbersFrom })}
          />
        )}
      </Field>
      <Field label="Compare with">
        {(id) => (
          <Select
            id={id}
            cb="view-compare"
            value={kept === null ? "" : "kept"}
            options={[
              ["", "nothing"],
              ...(kept === null ? [] : [["kept", kept.name] as const]),
              ...[...others].map(
                ([key, { name }]) =>
                  [key, key === "now" ? `this map, kept: ${name}` : name] as const,
              ),
            ]}
            onChoose={(key) => {
              if (key !== "kept") act.compare(others.get(key) ?? null);
            }}
          />
        )}
      </Field>
      <Field label="Colours">
        {(id) => (
          <span class="cb-view-threshold">
            <Select
              id={id}
              cb="view-colours"
              value={colours}
              disabled={!state.connected}
              options={COLOUR_MAPS.map((name) => [name, name.replace("-", " \u2013 ")])}
              onChoose={(name) => act.setView({ colours: name as ColourMap })}
            />
            <span
              class="cb-view-ramp"
              aria-hidden="true"
              style={{ backgroundImage: `linear-gradient(to right, ${palette.stops.join(", ")})` }}
            />
          </span>
        )}
      </Field>
      <div class="cb-row cb-view-end">
        <Button
          cb="view-reset"
          disabled={isPlain(look)}
          onClick={() => set({ ...PLAIN, side: look.side })}
        >
          Reset view
        </Button>
      </div>
    </>
  );
}

export function ViewMenu(props: MenuProps & { disabled: boolean }): JSX.Element {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const close = (): void => {
    setOpen(false);
    root.current?.querySelector<HTMLElement>('[data-cb="view-menu"]')?.focus();
  };
  useLayoutEffect(() => {
    if (open) root.current?.querySelector<HTMLElement>(".cb-view-menu select")?.focus();
  }, [open]);
  useEffect(() => {
    if (!open) return undefined;
    const outside = (event: Event): void => {
      if (event.target instanceof Node && root.current?.contains(event.target) === false)
        setOpen(false);
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape of the controls inside bubbles up to here.
    <div
      class="cb-view"
      ref={root}
      onKeyDown={(event: TargetedKeyboardEvent<HTMLElement>) => {
        if (event.key !== "Escape" || !open) return;
        event.stopPropagation();
        close();
      }}
      onFocusOut={(event) => {
        const next = event.relatedTarget;
        if (next instanceof Node && root.current?.contains(next) === false) setOpen(false);
      }}
    >
      <button
        type="button"
        class="cb-btn cb-btn-quiet"
        data-cb="view-menu"
        aria-haspopup="dialog"
        aria-expanded={open}
        disabled={props.disabled}
        onClick={() => (open ? close() : setOpen(true))}
      >
        View
        {isPlain(props.state.look) ? null : <span aria-hidden="true">{" \u2022"}</span>}
        <span class="cb-caret" aria-hidden="true" />
      </button>
      {open ? (
        <div class="cb-view-menu" role="dialog" aria-label="How the map is drawn">
          <Fields {...props} />
        </div>
      ) : null}
    </div>
  );
}
