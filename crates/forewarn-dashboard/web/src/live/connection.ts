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
/** Time that the first socket is given before the page is filled by plain requests. */
const PATIENCE_MS = 700;
/** The same while plain requests are answered, so that there is no hurry. */
const LONGEST_CALM_WAIT_MS = 60_000;

/** Wait before a try: half a second, doubled each time, up to `longest`; `spread` from 0 to 1 keeps pages apart. */
export function waitFor(tries: number, spread: number, longest = LONGEST_WAIT_MS): number {
  return Math.min(longest, 500 * 2 ** Math.min(tries, 10)) * (0.75 + 0.5 * spread);
}

export interface Hooks {
  message(message: LiveMessage): void;
  changed(connection: Connection): void;
  /** The last number that was taken, to resume after. */
  lastSeq(): number | null;
  /** All there is by plain requests, and the events since the last number. Fails where the server is not there. */
  ask(): Promise<LiveMessage[]>;
  /** Time between two such requests, in milliseconds. */
  askEvery(): number;
}

export class Line {
  private socket: WebSocket | EventSource | null = null;
  private tries = 0;
  private failedSockets = 0;
  private isHeard = false;
  private isAsking = false;
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
    setTimeout(() => {
      if (!this.isHeard && !this.isAsking) void this.askOn();
    }, PATIENCE_MS);
  }

  /** Tries at once if it is waiting. */
  hurry(): void {
    if (this.retry) this.open();
  }

  /** Drops the line and opens it again at once. */
  restart(): void {
    this.drop();
    this.open();
  }

  private drop(): void {
    const old = this.socket;
    this.socket = null;
    this.isHeard = false;
    old?.close();
  }

  private open(): void {
    if (this.retry) clearTimeout(this.retry);
    this.retry = null;
    if (this.connection.phase === "lost") this.tell({ ...this.connection, retryAt: null });
    // A proxy that lets no sockets through mostly lets a plain answer through.
    if (this.failedSockets % 4 === 3) this.openEvents();
    else this.openSocket();
    this.watch();
  }

  private openSocket(): void {
    const url = new URL(apiUrl("live"), location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    this.socket = socket;
    socket.onopen = () => {
      // Said at once, null too: the server waits for it before it sends all there is.
      if (socket === this.socket) socket.send(JSON.stringify({ resume: this.hooks.lastSeq() }));
    };
    socket.onmessage = (event) => {
      if (socket === this.socket) this.heard(String(event.data));
    };
    socket.onclose = () => {
      if (socket === this.socket) this.lost();
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
      if (source === this.socket) this.lost();
    };
  }

  private heard(text: string): void {
    let message: LiveMessage;
    try {
      message = JSON.parse(text) as LiveMessage;
    } catch {
      return;
    }
    this.isHeard = true;
    this.tries = 0;
    this.watch();
    this.back();
    this.hooks.message(message);
  }

  private back(): void {
    if (this.connection.phase !== "live") this.tell({ phase: "live", lostAt: null, retryAt: null });
  }

  private watch(): void {
    if (this.silence) clearTimeout(this.silence);
    this.silence = setTimeout(() => this.lost(), SILENCE_MS);
  }

  private lost(): void {
    if (this.silence) clearTimeout(this.silence);
    if (!this.isHeard) this.failedSockets += 1;
    this.drop();
    if (this.retry) clearTimeout(this.retry);
    const wait = waitFor(this.tries, Math.random(), this.isAsking ? LONGEST_CALM_WAIT_MS : LONGEST_WAIT_MS);
    this.tries += 1;
    this.retry = setTimeout(() => this.open(), wait);
    // While plain requests are answered, nothing is lost for a reader.
    if (this.isAsking) return;
    const wasLive = this.connection.phase === "live";
    void this.askOn().then((isThere) => {
      if (isThere || this.isHeard) return;
      const lostAt = this.connection.lostAt ?? Date.now();
      if (wasLive || this.connection.phase !== "live") this.tell({ phase: "lost", lostAt, retryAt: Date.now() + wait });
    });
  }

  /** Asks again and again until the line is back or the server is gone; whether the first answer came. */
  private async askOn(): Promise<boolean> {
    this.isAsking = true;
    try {
      const messages = await this.hooks.ask();
      if (this.isHeard) {
        this.isAsking = false;
        return true;
      }
      this.back();
      for (const message of messages) this.hooks.message(message);
    } catch {
      this.isAsking = false;
      return false;
    }
    setTimeout(() => {
      this.isAsking = false;
      if (this.isHeard) return;
      void this.askOn().then((isThere) => {
        if (isThere || this.isHeard) return;
        this.tell({ phase: "lost", lostAt: Date.now(), retryAt: Date.now() });
        this.hurry();
      });
    }, this.hooks.askEvery());
    return true;
  }

  private tell(connection: Connection): void {
    this.connection = connection;
    this.hooks.changed(connection);
  }
}
