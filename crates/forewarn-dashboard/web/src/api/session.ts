// Who the reader is. A link with `#token=...` is exchanged for a cookie, and the token leaves the address at once.
import { useSyncExternalStore } from "react";
import type { Role, Session } from "./types";
import { ApiError, get, post } from "./client";

export interface SessionState extends Session {
  /** Whether the server has been asked. */
  known: boolean;
  /** Why a token was refused. */
  refused: string | null;
}

let state: SessionState = { role: null, name: null, reads: false, known: false, refused: null };
const listeners = new Set<() => void>();

function set(next: SessionState): void {
  state = next;
  for (const listener of listeners) listener();
}

/** The token of an address' fragment. */
export function tokenOf(fragment: string): string | null {
  const token = new URLSearchParams(fragment.replace(/^#/, "")).get("token");
  return token ? token : null;
}

export async function startSession(): Promise<void> {
  const token = tokenOf(location.hash);
  if (token) {
    history.replaceState(history.state, "", location.pathname + location.search);
    await signIn(token);
    return;
  }
  try {
    const session = await get<Session>("session");
    set({ ...session, known: true, refused: session.reads === false ? "This server wants a token." : null });
  } catch (error) {
    const needed = error instanceof ApiError && error.status === 401;
    set({ role: null, name: null, reads: false, known: true, refused: needed ? "This server wants a token." : null });
  }
}

export async function signIn(token: string): Promise<boolean> {
  try {
    const session = await post<Session | undefined>("session", { token });
    set({ ...(session?.role ? session : await get<Session>("session")), known: true, refused: null });
    return true;
  } catch (error) {
    const refused = error instanceof Error ? error.message : String(error);
    set({ role: null, name: null, reads: false, known: true, refused });
    return false;
  }
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useSession(): SessionState {
  return useSyncExternalStore(subscribe, () => state);
}

const RANK: Record<Role, number> = { viewer: 1, operator: 2, admin: 3 };

/** Whether a role may do what needs another. */
export function may(role: Role | null, needed: Role): boolean {
  return role !== null && RANK[role] >= RANK[needed];
}
