// Which help is open: one thing at a time, from wherever it is asked for.
import { type ComponentChildren, createContext, type JSX } from "preact";
import { useContext, useMemo, useState } from "preact/hooks";

export type HelpTopic = "keys" | "words" | "search" | "tour";

export interface Help {
  open: HelpTopic | null;
  show(topic: HelpTopic | null): void;
}

const Context = createContext<Help>({ open: null, show: () => undefined });

export function HelpProvider({ children }: { children: ComponentChildren }): JSX.Element {
  const [open, show] = useState<HelpTopic | null>(null);
  const help = useMemo(() => ({ open, show }), [open]);
  return <Context.Provider value={help}>{children}</Context.Provider>;
}

export function useHelp(): Help {
  return useContext(Context);
}
