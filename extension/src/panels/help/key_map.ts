// The keyboard in words. What the keys do is in `board/keys.ts` and in the grids.

export interface KeyGroup {
  title: string;
  keys: readonly (readonly [keys: string, what: string])[];
}

export const KEY_MAP: readonly KeyGroup[] = [
  {
    title: "On a map",
    keys: [
      ["\u2190 \u2191 \u2192 \u2193", "move from cell to cell"],
      ["Home, End", "first, last cell of the row"],
      ["Ctrl-Home, Ctrl-End", "first, last cell of the map"],
      ["Enter, Space", "edit the cell, or take its edit back"],
      ["Shift-Enter", "look at the cell without editing it"],
      ["Delete", "remove the edit on the cell"],
      ["Menu, Shift-F10", "other ways to edit it, copy it as Python"],
    ],
  },
  {
    title: "Anywhere in the panel",
    keys: [
      ["1  2  3  4", "click to zero, mean, resample, patch"],
      ["b", "the other base run"],
      ["l", "live map on or off"],
      ["[  ]", "previous, next prompt"],
      ["Ctrl-Z", "undo"],
      ["Ctrl-Shift-Z", "redo"],
      ["c", "copy the last step as Python"],
      ["/", "find a component, such as 9.6"],
      ["Esc", "all positions again; close what is open"],
      ["?", "this map"],
    ],
  },
  {
    title: "On the tokens",
    keys: [
      ["\u2190 \u2192", "move from token to token"],
      ["Enter, Space", "edit there only"],
      ["Ctrl-click", "add a token, or take it away"],
      ["Shift-\u2190 \u2192", "select a range"],
    ],
  },
];
