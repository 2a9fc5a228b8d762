// Light or dark, as the host says: JupyterLab and Notebook 7 by an attribute of the body, VS Code by a
// class, marimo by a class and an attribute, Colab by an attribute of the page; else the system's wish.
import { useEffect, useState } from "preact/hooks";

export type Theme = "light" | "dark";

const WATCHED = ["class", "theme", "data-theme", "data-jp-theme-light", "data-vscode-theme-kind"];

function named(name: string | null | undefined): Theme | null {
  return name === "light" || name === "dark" ? name : null;
}

/** VS Code's class; a theme of high contrast has one of its own, and the light one both. */
function ofVsCode({ classList }: HTMLElement): Theme | null {
  if (classList.contains("vscode-high-contrast-light")) return "light";
  if (classList.contains("vscode-dark") || classList.contains("vscode-high-contrast"))
    return "dark";
  return classList.contains("vscode-light") ? "light" : null;
}

function ofMarimo({ classList, dataset }: HTMLElement): Theme | null {
  if (classList.contains("dark-theme")) return "dark";
  return classList.contains("light-theme") ? "light" : named(dataset.theme);
}

export function hostTheme(body: HTMLElement = document.body): Theme {
  const jupyter = body.dataset.jpThemeLight;
  if (jupyter !== undefined) return jupyter === "false" ? "dark" : "light";
  const page = body.ownerDocument.documentElement;
  return (
    ofVsCode(body) ??
    ofMarimo(body) ??
    named(page.getAttribute("theme")) ??
    (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")
  );
}

/** The host's theme, followed while the component lives. */
export function useTheme(): Theme {
  const [theme, setTheme] = useState(hostTheme);
  useEffect(() => {
    const follow = (): void => setTheme(hostTheme());
    follow();
    const observer = new MutationObserver(follow);
    for (const element of [document.body, document.documentElement])
      observer.observe(element, { attributes: true, attributeFilter: WATCHED });
    const query = matchMedia("(prefers-color-scheme: dark)");
    query.addEventListener("change", follow);
    return () => {
      observer.disconnect();
      query.removeEventListener("change", follow);
    };
  }, []);
  return theme;
}
