// The cells of a map as elements: every one of them is there for a test or a screen reader to find.
import { Component, type JSX } from "preact";
import type { Lines } from "../look/lines";
import { Cell } from "./Cell";
import { type CellContext, cellProps } from "./cell_props";

export interface CellsProps extends CellContext {
  lines: Lines;
}

export function sameContext(a: CellsProps, b: CellsProps): boolean {
  return (Object.keys(b) as (keyof CellsProps)[]).every((key) => Object.is(a[key], b[key]));
}

/** Not drawn again while only the pointer moves. */
export class ElementCells extends Component<CellsProps> {
  override shouldComponentUpdate(next: CellsProps): boolean {
    return !sameContext(this.props, next);
  }

  render(props: CellsProps): JSX.Element {
    const { lines } = props;
    return (
      <>
        {lines.rows.map((row) => (
          // biome-ignore lint/a11y/useSemanticElements: an ARIA grid of toggles; a table has no such cells.
          // biome-ignore lint/a11y/useFocusableInteractive: the cells' buttons take the focus.
          <div role="row" class="cb-line-of-cells" key={row}>
            {lines.columns.map((column) => (
              <Cell key={column} {...cellProps(props, { row, column })} />
            ))}
          </div>
        ))}
      </>
    );
  }
}
