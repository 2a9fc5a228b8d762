// The page of the web view: one script of ours by nonce, the panel's bundle from a blob, nothing else.

export interface Page {
  nonce: string;
  /** Where the web view finds its script. */
  script: string;
}

/** Nothing is fetched: pictures are made in the page, and no host but the page itself is named. */
export function policy(nonce: string): string {
  return [
    "default-src 'none'",
    `script-src 'nonce-${nonce}' blob:`,
    `style-src 'nonce-${nonce}'`,
    "img-src blob: data:",
    "font-src data:",
  ].join("; ");
}

export function pageOf({ nonce, script }: Page): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy(nonce)}">
<title>Circuitboard</title>
<style nonce="${nonce}">
body { padding: 8px; background: var(--vscode-editor-background); }
#status { display: flex; flex-wrap: wrap; align-items: center; gap: 8px; margin: 0 0 8px; padding: 6px 10px;
  border: 1px solid var(--vscode-inputValidation-infoBorder, #1976d2); border-radius: 4px;
  background: var(--vscode-inputValidation-infoBackground, transparent);
  color: var(--vscode-inputValidation-infoForeground, var(--vscode-editor-foreground));
  font: 13px/18px var(--vscode-font-family, sans-serif); }
#status[hidden] { display: none; }
#status p { flex: 1 1 16em; margin: 0; }
#status button { padding: 3px 10px; border: 1px solid var(--vscode-button-border, transparent); border-radius: 3px;
  background: var(--vscode-button-background, #1976d2); color: var(--vscode-button-foreground, #fff);
  font: inherit; cursor: pointer; }
#status button:focus-visible { outline: 2px solid var(--vscode-focusBorder, #1976d2); outline-offset: 2px; }
#status button[hidden] { display: none; }
</style>
</head>
<body>
<div id="status" role="status"><p>Looking for this notebook’s kernel…</p><button type="button" hidden></button></div>
<main id="board"></main>
<script nonce="${nonce}" src="${script}"></script>
</body>
</html>`;
}
