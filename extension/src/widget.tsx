// The widget's entry: what anywidget calls for each view of a board.
import "./style/widget.css";
import type { RenderProps } from "@anywidget/types";
import { render as draw } from "preact";
import { Board } from "./panels/board/Board";
import { createStore } from "./store/store";

function render({ model, el }: Pick<RenderProps, "model" | "el">): () => void {
  const store = createStore(model);
  draw(<Board store={store} />, el);
  return () => {
    draw(null, el);
    store.close();
  };
}

export default { render };
