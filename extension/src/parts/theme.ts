// Light or dark, as the host says: JupyterLab's attribute, VS Code's class, else the system's wish.
import { useEffect, useState } from "preact/hooks";

export type Theme = "light" | "dark";

export function hostTheme(body: HTMLElement = document.body): Theme {
  const jupyter = body.dataset.jpThemeLight;
  if (jupyter !== undefined) return jupyter === "false" ? "dark" : "light";
  const classes = body.classList;
  if (classes.contains("vscode-dark")) return "dark";
  if (classes.contains("vscode-light")) return "light";
  if (classes.contains("vscode-high-contrast")) {
    return classes.contains("vscode-high-contrast-light") ? "light" : "dark";
  }
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** The host's theme, followed while the component lives. */
export function useTheme(): Theme {
  const [theme, setTheme] = useState(hostTheme);
  useEffect(() => {
    const follow = (): void => setTheme(hostTheme());
    const observer = new MutationObserver(follow);
    observer.observe(document.body, {
      attributes: true,
      attributeFilter: ["class", "data-jp-theme-light", "data-vscode-theme-kind"],
    });
    const query = matchMedia("(prefers-color-scheme: dark)");
    query.addEventListener("change", follow);
    return () => {
      observer.disconnect();
      query.removeEventListener("change", follow);
    };
  }, []);
  return theme;
}
