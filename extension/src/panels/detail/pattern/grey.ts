// Attention is grey, so that the colours of the map keep one meaning; on a root scale, since most of a row is small.
import type { Theme } from "../../../host";

const STOPS: Record<Theme, readonly (readonly [number, number, number])[]> = {
  light: [
    [0xf4, 0xf4, 0xf2],
    [0xcf, 0xcf, 0xcc],
    [0x9b, 0x9b, 0x98],
    [0x5f, 0x5f, 0x5d],
    [0x1f, 0x1f, 0x1f],
  ],
  dark: [
    [0x29, 0x29, 0x29],
    [0x47, 0x47, 0x47],
    [0x73, 0x73, 0x73],
    [0xa8, 0xa8, 0xa8],
    [0xed, 0xed, 0xed],
  ],
};

/** The colour of an attention weight, 0 to 1; an edited pattern may leave that range, its colour may not. */
export function greyOf(weight: number, theme: Theme): string {
  const stops = STOPS[theme];
  const x = Math.sqrt(Math.max(0, Math.min(1, weight))) * (stops.length - 1);
  const i = Math.min(stops.length - 2, Math.floor(x));
  const [from, to] = [stops[i] ?? [0, 0, 0], stops[i + 1] ?? [0, 0, 0]];
  const mixed = from.map((v, k) => Math.round(v + ((to[k] ?? 0) - v) * (x - i)));
  return `rgb(${mixed.join(" ")})`;
}
