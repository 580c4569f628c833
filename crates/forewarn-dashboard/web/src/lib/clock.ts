// A clock that components share: one timer for all of them.
import { useSyncExternalStore } from "react";
import { serverNow } from "../live/store";

let second = Math.floor(Date.now() / 1000);
let timer: ReturnType<typeof setInterval> | null = null;
const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    second = Math.floor(Date.now() / 1000);
    for (const each of listeners) each();
  }, 1000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0 && timer) {
      clearInterval(timer);
      timer = null;
    }
  };
}

/** The server's time in milliseconds; the component is drawn again every second. */
export function useNow(): number {
  useSyncExternalStore(subscribe, () => second);
  return serverNow();
}
