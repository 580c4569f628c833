// Addresses: the page, and all that a reader chose on it, so that a link shows what the sender saw.
import { type AnchorHTMLAttributes, type MouseEvent, useCallback, useSyncExternalStore } from "react";
import { basePath } from "../api/client";

export interface Route {
  /** Parts of the path below the base, decoded. */
  parts: string[];
  search: URLSearchParams;
}

/** The route of a path and a query, below a base that ends with a slash. */
export function parseRoute(pathname: string, search: string, base: string): Route {
  const below = pathname.startsWith(base) ? pathname.slice(base.length) : pathname.replace(/^\//, "");
  const parts = below.split("/").filter(Boolean).map(decode);
  return { parts, search: new URLSearchParams(search) };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The address of a page: `path` starts with a slash. */
export function href(path: string): string {
  return basePath() + path.replace(/^\//, "");
}

export function servicePath(name: string): string {
  return `/services/${encodeURIComponent(name)}`;
}

let current: Route | null = null;
const listeners = new Set<() => void>();

function changed(): void {
  current = null;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) addEventListener("popstate", changed);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) removeEventListener("popstate", changed);
  };
}

export function useRoute(): Route {
  return useSyncExternalStore(subscribe, () => {
    current ??= parseRoute(location.pathname, location.search, basePath());
    return current;
  });
}

export function navigate(path: string): void {
  history.pushState(null, "", href(path));
  changed();
  scrollTo(0, 0);
}

/** Changes parts of the query without a new entry in the history; an empty or null value goes. */
export function setSearch(values: Record<string, string | null>): void {
  const search = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(values)) {
    if (value === null || value === "") search.delete(name);
    else search.set(name, value);
  }
  const text = search.toString();
  history.replaceState(history.state, "", location.pathname + (text ? `?${text}` : ""));
  changed();
}

/** One part of the query, as state; its default is left out of the address. */
export function useParam(name: string, standard = ""): [string, (value: string) => void] {
  const { search } = useRoute();
  const set = useCallback(
    (value: string) => setSearch({ [name]: value === standard ? null : value }),
    [name, standard],
  );
  return [search.get(name) ?? standard, set];
}

type LinkProps = AnchorHTMLAttributes<HTMLAnchorElement> & { to: string };

/** A link within the page. */
export function Link({ to, onClick, ...rest }: LinkProps) {
  const click = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!isPlain || event.defaultPrevented) return;
    event.preventDefault();
    navigate(to);
  };
  return <a href={href(to)} onClick={click} {...rest} />;
}
