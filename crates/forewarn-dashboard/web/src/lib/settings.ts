// What a reader chose, kept by the browser.
import { useSyncExternalStore } from "react";
import type { Zone } from "./time";

export type ThemeChoice = "system" | "light" | "dark";

export interface Settings {
  theme: ThemeChoice;
  /** The colours in use. */
  dark: boolean;
  zone: Zone;
}

const listeners = new Set<() => void>();

function read(name: string): string | null {
  try {
    return localStorage.getItem(`forewarn.${name}`);
  } catch {
    return null;
  }
}

function write(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`forewarn.${name}`);
    else localStorage.setItem(`forewarn.${name}`, value);
  } catch {
    // Storage is switched off: the choice holds until the page is left.
  }
}

const prefersDark = matchMedia("(prefers-color-scheme: dark)");

function load(): Settings {
  const stored = read("theme");
  const theme: ThemeChoice = stored === "dark" || stored === "light" ? stored : "system";
  return {
    theme,
    dark: theme === "system" ? prefersDark.matches : theme === "dark",
    zone: read("zone") === "utc" ? "utc" : "local",
  };
}

let settings = load();

function set(next: Settings): void {
  settings = next;
  document.documentElement.dataset.theme = next.dark ? "dark" : "light";
  for (const listener of listeners) listener();
}

prefersDark.addEventListener("change", () => {
  if (settings.theme === "system") set({ ...settings, dark: prefersDark.matches });
});

// Another tab changed something.
addEventListener("storage", () => set(load()));

export function setTheme(theme: ThemeChoice): void {
  write("theme", theme === "system" ? null : theme);
  set({ ...settings, theme, dark: theme === "system" ? prefersDark.matches : theme === "dark" });
}

export function setZone(zone: Zone): void {
  write("zone", zone === "utc" ? "utc" : null);
  set({ ...settings, zone });
}

export function useSettings(): Settings {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => settings,
  );
}
