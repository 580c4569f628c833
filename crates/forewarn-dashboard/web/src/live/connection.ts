// The socket: connects, resumes where it was, and tries again, slower each time, when it is lost.
import type { LiveMessage } from "../api/types";
import { apiUrl } from "../api/client";

export type Phase = "connecting" | "live" | "lost";

export interface Connection {
  phase: Phase;
  /** When the line was lost, and when it is tried next; by this machine's clock. */
  lostAt: number | null;
  retryAt: number | null;
}

/** No message for this long, with a beat due every 2 s, is a lost line. */
const SILENCE_MS = 8000;
const LONGEST_WAIT_MS = 10_000;

/** Wait before a try: half a second, doubled each time, up to ten; `spread` from 0 to 1 keeps pages apart. */
export function waitFor(tries: number, spread: number): number {
  return Math.min(LONGEST_WAIT_MS, 500 * 2 ** Math.min(tries, 10)) * (0.75 + 0.5 * spread);
}

export interface Hooks {
  message(message: LiveMessage): void;
  changed(connection: Connection): void;
  /** The last number that was taken, to resume after. */
  lastSeq(): number | null;
}

export class Line {
  private socket: WebSocket | EventSource | null = null;
  private tries = 0;
  private failedSockets = 0;
  private wasOpen = false;
  private silence: ReturnType<typeof setTimeout> | null = null;
  private retry: ReturnType<typeof setTimeout> | null = null;
  private connection: Connection = { phase: "connecting", lostAt: null, retryAt: null };

  constructor(private readonly hooks: Hooks) {}

  start(): void {
    addEventListener("online", () => this.hurry());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.hurry();
    });
    addEventListener("pagehide", () => this.socket?.close());
    addEventListener("pageshow", (event) => {
      if (event.persisted) this.lost();
    });
    this.open();
  }

  /** Tries at once if it is waiting. */
  hurry(): void {
    if (this.retry) this.open();
  }

  /** Drops the line and opens it again at once. */
  restart(): void {
    const old = this.socket;
    this.socket = null;
    old?.close();
    this.open();
  }

  private open(): void {
    if (this.retry) clearTimeout(this.retry);
    this.retry = null;
    this.tell({ ...this.connection, retryAt: null });
    // A proxy that lets no sockets through mostly lets a plain answer through.
    if (this.failedSockets >= 3) this.openEvents();
    else this.openSocket();
    this.watch();
  }

  private openSocket(): void {
    const url = new URL(apiUrl("live"), location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    this.socket = socket;
    this.wasOpen = false;
    socket.onopen = () => {
      if (socket !== this.socket) return;
      this.wasOpen = true;
      const seq = this.hooks.lastSeq();
      if (seq !== null) socket.send(JSON.stringify({ resume: seq }));
    };
    socket.onmessage = (event) => {
      if (socket === this.socket) this.heard(String(event.data));
    };
    socket.onclose = () => {
      if (socket !== this.socket) return;
      if (!this.wasOpen) this.failedSockets += 1;
      this.lost();
    };
  }

  private openEvents(): void {
    const seq = this.hooks.lastSeq();
    const url = new URL(apiUrl("live/sse") + (seq === null ? "" : `?after=${seq}`), location.href);
    const source = new EventSource(url);
    this.socket = source;
    source.onmessage = (event) => {
      if (source === this.socket) this.heard(String(event.data));
    };
    source.onerror = () => {
      if (source !== this.socket) return;
      this.failedSockets = 0;
      this.lost();
    };
  }

  private heard(text: string): void {
    let message: LiveMessage;
    try {
      message = JSON.parse(text) as LiveMessage;
    } catch {
      return;
    }
    this.tries = 0;
    this.watch();
    if (this.connection.phase !== "live") this.tell({ phase: "live", lostAt: null, retryAt: null });
    this.hooks.message(message);
  }

  private watch(): void {
    if (this.silence) clearTimeout(this.silence);
    this.silence = setTimeout(() => this.lost(), SILENCE_MS);
  }

  private lost(): void {
    if (this.silence) clearTimeout(this.silence);
    const old = this.socket;
    this.socket = null;
    old?.close();
    if (this.retry) clearTimeout(this.retry);
    const wait = waitFor(this.tries, Math.random());
    this.tries += 1;
    this.retry = setTimeout(() => this.open(), wait);
    this.tell({ phase: "lost", lostAt: this.connection.lostAt ?? Date.now(), retryAt: Date.now() + wait });
  }

  private tell(connection: Connection): void {
    this.connection = connection;
    this.hooks.changed(connection);
  }
}
