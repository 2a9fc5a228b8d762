// The user's settings of the extension, as schema/plugin.json describes them: how new boards start.
import type { ISettingRegistry } from "@jupyterlab/settingregistry";
import type { Form, FormView } from "../protocol/generated";

export interface BoardDefaults {
  metric: string;
  mode: NonNullable<FormView["mode"]>;
  base: Form["base"];
  live: boolean;
  colours: NonNullable<FormView["colours"]>;
  /** Null for the board's own choice. */
  memoryMb: number | null;
  updatesPerSecond: number;
}

export const SHIPPED: BoardDefaults = {
  metric: "logit_diff",
  mode: "zero",
  base: "clean",
  live: true,
  colours: "orange-blue",
  memoryMb: null,
  updatesPerSecond: 30,
};

export class Settings {
  #values = SHIPPED;
  readonly #listeners = new Set<() => void>();

  get values(): BoardDefaults {
    return this.#values;
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  async follow(registry: ISettingRegistry, plugin: string): Promise<void> {
    const settings = await registry.load(plugin);
    const read = (): void => {
      // The registry has checked them against the schema.
      const all = settings.composite as unknown as Record<string, never>;
      this.#values = {
        metric: all.metric ?? SHIPPED.metric,
        mode: all.mode ?? SHIPPED.mode,
        base: all.base ?? SHIPPED.base,
        live: all.liveMap ?? SHIPPED.live,
        colours: all.colourMap ?? SHIPPED.colours,
        memoryMb: all.memoryBudget || null,
        updatesPerSecond: all.updatesPerSecond ?? SHIPPED.updatesPerSecond,
      };
      for (const listener of this.#listeners) listener();
    };
    settings.changed.connect(read);
    read();
  }
}
