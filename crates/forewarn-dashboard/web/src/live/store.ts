// The live state of this page, for components: messages are gathered and applied a few times a second.
import { useRef, useSyncExternalStore } from "react";
import { get } from "../api/client";
import type {
  Chaos,
  EngineEvent,
  IncidentView,
  LiveMessage,
  Page,
  ServiceSummary,
  Status,
  WarningView,
} from "../api/types";
import { type Connection, Line } from "./connection";
import { seed } from "./seed";
import { EMPTY, KEPT_SCORES, type LiveState, apply } from "./state";

export interface Live extends LiveState {
  connection: Connection;
}

let live: Live = { ...EMPTY, connection: { phase: "connecting", lostAt: null, retryAt: null } };
let waiting: LiveMessage[] = [];
let timer: ReturnType<typeof setTimeout> | null = null;

const listeners = new Set<() => void>();
const eventListeners = new Set<(events: EngineEvent[]) => void>();
const reconnectListeners = new Set<() => void>();

/** Time between two changes of the page, in milliseconds: fast enough for a person, calm enough for 1,000 services. */
const GATHER_MS = 200;

function set(next: Live): void {
  live = next;
  for (const listener of listeners) listener();
}

function flush(): void {
  timer = null;
  const messages = waiting;
  waiting = [];
  const seq = live.seq;
  const first = live.status === null ? messages.find((message) => message.type === "snapshot") : undefined;
  set({ ...live, ...apply(live, messages, Date.now()) });
  if (messages.some((message) => message.type === "snapshot")) startsOver = false;
  if (first?.type === "snapshot") void seed(first.status, first.services, remember);
  const events = messages.flatMap((message) =>
    message.type === "event" && (seq === null || message.seq > seq) ? [message.event] : [],
  );
  if (events.length) for (const listener of eventListeners) listener(events);
  if (messages.some((message) => message.type === "snapshot")) for (const listener of reconnectListeners) listener();
}

/** Puts the last hour before what has come since. */
function remember(name: string, before: (number | null)[]): void {
  const service = live.services.get(name);
  if (!service) return;
  const since = (service.recent ?? []).slice(1);
  const services = new Map(live.services);
  services.set(name, { ...service, recent: [...before, ...since].slice(-KEPT_SCORES) });
  set({ ...live, services });
}

const line = new Line({
  message(message) {
    waiting.push(message);
    // The first snapshot is shown at once.
    if (message.type === "snapshot" && live.status === null) flush();
    else timer ??= setTimeout(flush, GATHER_MS);
  },
  changed(connection) {
    const isBack = live.connection.phase === "lost" && connection.phase === "live";
    set({ ...live, connection });
    if (isBack) void goOn();
  },
  lastSeq() {
    if (startsOver) return null;
    return waiting.reduce<number | null>(
      (seq, message) => (message.type === "event" || message.type === "snapshot" ? message.seq : seq),
      live.seq,
    );
  },
  ask,
  askEvery() {
    return Math.max(2000, live.services.size * 10);
  },
});

/** What the line would say, by plain requests: for a server or a proxy that opens none. */
async function ask(): Promise<LiveMessage[]> {
  const after = live.seq;
  const [status, services, warnings, incidents, chaos, events] = await Promise.all([
    get<Status>("status"),
    get<Page<ServiceSummary>>("services?limit=10000"),
    get<Page<WarningView>>("warnings?state=firing&limit=1000"),
    get<Page<IncidentView>>("incidents?state=open&limit=1000"),
    get<Chaos>("chaos"),
    after === null ? null : get<{ items: EngineEvent[] }>(`events?after=${after}&limit=1000`),
  ]);
  return [
    ...(events?.items ?? []).map((event): LiveMessage => ({ type: "event", seq: event.seq, event })),
    {
      type: "snapshot",
      seq: status.seq,
      status,
      services: services.items,
      warnings: warnings.items,
      incidents: incidents.items,
      graph: null,
      chaos,
    },
  ];
}

/** Asks for all there is rather than for what is new. */
let startsOver = false;

/** After a lost line: whatever was asked before may be old, and a server that has started over may be another one. */
async function goOn(): Promise<void> {
  for (const listener of reconnectListeners) listener();
  try {
    const { started } = await get<Status>("status");
    if (live.status === null || live.status.started === started) return;
    startsOver = true;
    line.restart();
  } catch {
    // The line says by itself when the server is gone again.
  }
}

export function startLive(): void {
  line.start();
}

/** Tries to reconnect at once. */
export function reconnect(): void {
  line.hurry();
}

/** Is called with each batch of new events. */
export function onEvents(listener: (events: EngineEvent[]) => void): () => void {
  eventListeners.add(listener);
  return () => eventListeners.delete(listener);
}

/** Is called after each snapshot: whatever was asked before may be old. */
export function onReconnect(listener: () => void): () => void {
  reconnectListeners.add(listener);
  return () => reconnectListeners.delete(listener);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** A part of the live state; a component is drawn again only when the part is another one. */
export function useLive<T>(select: (live: Live) => T): T {
  const last = useRef<{ live: Live; select: (live: Live) => T; value: T } | null>(null);
  return useSyncExternalStore(subscribe, () => {
    const old = last.current;
    if (old && old.live === live && old.select === select) return old.value;
    const value = select(live);
    last.current = { live, select, value };
    return value;
  });
}

/** The server's clock now: that of the last beat, moved on. */
export function serverNow(): number {
  return live.now === null ? Date.now() : live.now + Math.min(Date.now() - live.heardAt, 10_000) * live.rate;
}
