import { useEffect, useLayoutEffect, useState } from "preact/hooks";

export type Theme = "light" | "dark";

const KEY = "nats-streaming-theme";
const systemIsDark = matchMedia("(prefers-color-scheme: dark)");

/** What was chosen here once; undefined follows the system. */
function chosen(): Theme | undefined {
  const value = read();
  return value === "light" || value === "dark" ? value : undefined;
}

/** A browser may forbid to keep anything. */
function read(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

/** The theme in force, and how to change it. Read anew each time, so that what was missed is made up for. */
export function useTheme(): readonly [Theme, () => void] {
  const [, redraw] = useState(0);
  const [own, setOwn] = useState(chosen);
  const theme = own ?? (systemIsDark.matches ? "dark" : "light");
  // Before the effects of everything on the page: charts read their colours from it.
  useLayoutEffect(() => {
    document.documentElement.dataset["theme"] = theme;
  }, [theme]);
  useEffect(() => {
    const follow = (): void => redraw((times) => times + 1);
    systemIsDark.addEventListener("change", follow);
    return () => systemIsDark.removeEventListener("change", follow);
  }, []);
  const toggle = (): void => {
    const next = theme === "dark" ? "light" : "dark";
    try {
      localStorage.setItem(KEY, next);
    } catch {
      // Then it holds until the page is loaded again.
    }
    setOwn(next);
  };
  return [theme, toggle];
}
