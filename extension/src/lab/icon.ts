import { LabIcon } from "@jupyterlab/ui-components";

/** A board of nine cells, one of them pressed; drawn in the colours of the host's own icons. */
export const boardIcon = new LabIcon({
  name: "circuitboard:board",
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 16 16">
  <g class="jp-icon3" fill="#616161">
    <rect x="1" y="1" width="4" height="4" rx="0.8"/><rect x="6" y="1" width="4" height="4" rx="0.8"/><rect x="11" y="1" width="4" height="4" rx="0.8"/>
    <rect x="1" y="6" width="4" height="4" rx="0.8"/><rect x="11" y="6" width="4" height="4" rx="0.8"/>
    <rect x="1" y="11" width="4" height="4" rx="0.8"/><rect x="6" y="11" width="4" height="4" rx="0.8"/><rect x="11" y="11" width="4" height="4" rx="0.8"/>
  </g>
  <rect class="jp-icon-warn0" fill="#e8710a" x="5.6" y="5.6" width="4.8" height="4.8" rx="1"/>
</svg>`,
});
