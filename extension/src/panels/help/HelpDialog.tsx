// The keyboard map and the list of words, side by side where there is room.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Button, IconButton } from "../../parts/controls";
import { Dialog } from "./Dialog";
import { type Entry, GLOSSARY } from "./glossary";
import { KEY_MAP } from "./key_map";
import { PAPERS } from "./papers";
import { cited } from "./TermTip";

function Keys(): JSX.Element {
  return (
    <div class="cb-keymap">
      {KEY_MAP.map(({ title, keys }) => (
        <section key={title}>
          <h3 class="cb-h">{title}</h3>
          <dl class="cb-key-list">
            {keys.map(([key, what]) => (
              <div key={key}>
                <dt>
                  <kbd>{key}</kbd>
                </dt>
                <dd>{what}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </div>
  );
}

function Words(): JSX.Element {
  const entries: Entry[] = Object.values(GLOSSARY);
  const papers = Object.values(PAPERS).sort((a, b) => a.short.localeCompare(b.short));
  return (
    <>
      <dl class="cb-words">
        {entries.map((entry) => (
          <div key={entry.name}>
            <dt class="cb-strong">{entry.name}</dt>
            <dd>
              {entry.says}
              {entry.papers === undefined ? null : (
                <span class="cb-quiet-text"> {cited(entry)}</span>
              )}
            </dd>
          </div>
        ))}
      </dl>
      <h3 class="cb-h">Papers</h3>
      <ul class="cb-papers">
        {papers.map(({ short, title, where }) => (
          <li key={short}>
            {short}, <i>{title}</i>
            <span class="cb-quiet-text">, {where}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

interface HelpDialogProps {
  first: "keys" | "words";
  onTour(): void;
  onClose(): void;
}

export function HelpDialog({ first, onTour, onClose }: HelpDialogProps): JSX.Element {
  const [page, show] = useState(first);
  const title = page === "keys" ? "Keyboard map" : "Words and papers";
  const tab = (name: "keys" | "words", text: string): JSX.Element => (
    <button
      type="button"
      class="cb-help-tab"
      aria-pressed={page === name}
      data-first={page === name ? "" : undefined}
      onClick={() => show(name)}
    >
      {text}
    </button>
  );
  return (
    <Dialog cb="help" label={title} onClose={onClose}>
      <div class="cb-row cb-modal-head">
        {tab("keys", "Keyboard")}
        {tab("words", "Words")}
        <span class="cb-grow" />
        <Button cb="start-tour" onClick={onTour}>
          Take the tour
        </Button>
        <IconButton icon="x" label="Close help" onClick={onClose} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard. */}
      <section class="cb-modal-scroll" tabIndex={0} aria-label={`${title}, list`}>
        {page === "keys" ? <Keys /> : <Words />}
      </section>
    </Dialog>
  );
}
