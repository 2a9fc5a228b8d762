// The widget's entry: what anywidget calls for each view of a board.
import "./style/widget.css";
import type { RenderProps } from "@anywidget/types";
import { render as draw } from "preact";
import { Board } from "./panels/board/Board";
import { HelpProvider } from "./panels/help/context";
import { createStore } from "./store/store";

function render({ model, el }: Pick<RenderProps, "model" | "el">): () => void {
  const store = createStore(model);
  // A host that sees its kernel come and go says so sooner than silence does.
  const onKernel = (event: Event): void => {
    store.kernel((event as CustomEvent<{ alive: boolean }>).detail.alive);
  };
  el.addEventListener("circuitboard:kernel", onKernel);
  draw(
    <HelpProvider>
      <Board store={store} />
    </HelpProvider>,
    el,
  );
  return () => {
    draw(null, el);
    el.removeEventListener("circuitboard:kernel", onKernel);
    store.close();
  };
}

export default { render };
