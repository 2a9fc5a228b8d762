// The main row: map, detail and side, each in a region of its own that scrolls inside itself, so that
// nothing moves when something arrives in another.
import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { useWidth } from "../../parts/width";
import {
  AS_DESIGNED,
  columnsAt,
  keep,
  mapHeight,
  measures,
  type Regions,
  storedRegions,
} from "./regions";
import { Separator } from "./Separator";

/** Before it is measured the board is drawn as in a wide cell (px). */
const UNMEASURED = 1100;

interface MainProps {
  layers: number;
  map: ComponentChildren;
  detail: ComponentChildren;
  side: ComponentChildren;
}

export function Main({ layers, map, detail, side }: MainProps): JSX.Element {
  const [ref, width] = useWidth<HTMLDivElement>(UNMEASURED);
  const [regions, setRegions] = useState<Regions>(storedRegions);
  const now = measures(regions, width, layers);
  const move = (patch: Partial<Regions>): void => setRegions((before) => ({ ...before, ...patch }));
  const reset = (name: keyof Regions): void => {
    const next = { ...regions, [name]: AS_DESIGNED[name] };
    setRegions(next);
    keep(next);
  };
  const rest = (): void =>
    setRegions((after) => {
      keep(after);
      return after;
    });
  const columns = columnsAt(width);
  const both = width - (columns === 3 ? now.side.now : 0);
  const style = {
    "--cb-map-share": (now.map.now / 100).toFixed(4),
    "--cb-side-width": `${Math.round(now.side.now)}px`,
    "--cb-main-height": `${Math.round(now.height.now)}px`,
    "--cb-map-height": `${mapHeight(layers)}px`,
  };
  return (
    <div class="cb-main" ref={ref} style={style}>
      <div class="cb-region cb-region-map">{map}</div>
      <div class="cb-region cb-region-detail">{detail}</div>
      <aside class="cb-region cb-side" aria-label="Edits, history and top tokens">
        {side}
      </aside>
      {columns === 1 ? null : (
        <Separator
          cb="separator-map"
          label="Width of the map"
          runs="down"
          words={`${Math.round(now.map.now)} percent`}
          measure={now.map}
          perPixel={100 / both}
          step={2}
          onMove={(percent) => move({ map: percent / 100 })}
          onRest={rest}
          onReset={() => reset("map")}
        />
      )}
      {columns < 3 ? null : (
        <Separator
          cb="separator-side"
          label="Width of the side column"
          runs="down"
          words={`${Math.round(now.side.now)} pixels`}
          measure={now.side}
          perPixel={-1}
          step={16}
          onMove={(pixels) => move({ side: pixels })}
          onRest={rest}
          onReset={() => reset("side")}
        />
      )}
      {columns === 1 ? null : (
        <Separator
          cb="separator-height"
          label="Height of map and detail"
          runs="across"
          words={`${Math.round(now.height.now)} pixels`}
          measure={now.height}
          perPixel={1}
          step={16}
          onMove={(pixels) => move({ height: pixels })}
          onRest={rest}
          onReset={() => reset("height")}
        />
      )}
    </div>
  );
}
