// What a new board starts with, as the user set it.
import { workspace } from "vscode";

export interface Settings {
  model: string;
  metric: string;
  base: string;
  mode: string;
  liveMap: boolean;
  colourMap: string;
}

export const DEFAULTS: Settings = {
  model: "demo",
  metric: "logit_diff",
  base: "clean",
  mode: "zero",
  liveMap: true,
  colourMap: "orange-blue",
};

export function settings(): Settings {
  const stored = workspace.getConfiguration("circuitboard");
  return {
    model: stored.get("model", DEFAULTS.model),
    metric: stored.get("metric", DEFAULTS.metric),
    base: stored.get("base", DEFAULTS.base),
    mode: stored.get("mode", DEFAULTS.mode),
    liveMap: stored.get("liveMap", DEFAULTS.liveMap),
    colourMap: stored.get("colourMap", DEFAULTS.colourMap),
  };
}
