// Answers of the server, kept by path: a page that is opened again shows what it had while it asks again.
import { useCallback, useEffect, useRef, useState } from "react";
import type { EngineEvent } from "./types";
import { ApiError, get } from "./client";
import { onEvents, onReconnect } from "../live/store";

interface Kept {
  data: unknown;
  at: number;
}

const kept = new Map<string, Kept>();
const KEEP = 200;

function keep(path: string, data: unknown): void {
  kept.delete(path);
  kept.set(path, { data, at: Date.now() });
  const oldest = kept.keys().next();
  if (kept.size > KEEP && !oldest.done) kept.delete(oldest.value);
}

export interface Resource<T> {
  data: T | undefined;
  error: ApiError | null;
  loading: boolean;
  reload: () => void;
}

export interface Options {
  /** Events after which the answer is another one. */
  refreshOn?: (event: EngineEvent) => boolean;
  /** Shortest time between two requests that events cause, in milliseconds. */
  atMostEvery?: number;
  /** Shows the answer to the last path until that of a new one is there. */
  keepPrevious?: boolean;
}

/** The answer to a GET; `path` null asks nothing. */
export function useResource<T>(path: string | null, options: Options = {}): Resource<T> {
  const [version, setVersion] = useState(0);
  const [state, setState] = useState<{ path: string | null; data?: T; error: ApiError | null; loading: boolean }>(() =>
    initial<T>(path),
  );
  const { refreshOn, atMostEvery = 2000, keepPrevious = false } = options;
  const previous = useRef<T | undefined>(undefined);

  useEffect(() => {
    if (path === null) return;
    const abort = new AbortController();
    setState((old) => (old.path === path ? { ...old, loading: true } : initial<T>(path)));
    get<T>(path, abort.signal).then(
      (data) => {
        keep(path, data);
        previous.current = data;
        setState({ path, data, error: null, loading: false });
      },
      (error: unknown) => {
        if (abort.signal.aborted) return;
        const refused = error instanceof ApiError ? error : new ApiError(0, String(error), null);
        setState((old) => ({ path, data: old.path === path ? old.data : undefined, error: refused, loading: false }));
      },
    );
    return () => abort.abort();
  }, [path, version]);

  const reload = useCallback(() => setVersion((old) => old + 1), []);

  const wanted = useRef(refreshOn);
  wanted.current = refreshOn;
  useEffect(() => {
    if (path === null) return;
    let timer: ReturnType<typeof setTimeout> | null = null;
    let last = Date.now();
    const soon = () => {
      timer ??= setTimeout(
        () => {
          timer = null;
          last = Date.now();
          reload();
        },
        Math.max(100, last + atMostEvery - Date.now()),
      );
    };
    const off = onEvents((events) => {
      if (wanted.current && events.some(wanted.current)) soon();
    });
    const offReconnect = onReconnect(soon);
    return () => {
      off();
      offReconnect();
      if (timer) clearTimeout(timer);
    };
  }, [path, atMostEvery, reload]);

  const current = state.path === path ? state : initial<T>(path);
  const data = current.data ?? (keepPrevious ? previous.current : undefined);
  return { data, error: current.error, loading: current.loading && path !== null, reload };
}

function initial<T>(path: string | null) {
  const data = path === null ? undefined : (kept.get(path)?.data as T | undefined);
  return { path, data, error: null, loading: path !== null };
}
