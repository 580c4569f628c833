// The program itself, with the simulated shop: started, killed and started again as an operator would.
import { type ChildProcess, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** Where `forewarn` is; tests of the program are skipped without it. */
export const PROGRAM = process.env.FOREWARN_PROGRAM;

/** Training and a simulated day come before the first answer, and other things may run on the machine. */
const PATIENCE_MS = 300_000;

const running = new Set<ChildProcess>();
const folders = new Set<string>();

/** Ends all that tests of a file started. */
export function withProgram(): void {
  afterAll(() => {
    for (const child of running) child.kill("SIGKILL");
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });
}

function run(args: string[], quiet = false): ChildProcess {
  const child = spawn(PROGRAM ?? "", args, { stdio: ["ignore", "pipe", quiet ? "ignore" : "inherit"] });
  running.add(child);
  child.on("exit", () => running.delete(child));
  return child;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await new Promise((done) => child.once("exit", done));
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (typeof address !== "object" || address === null) throw new Error("the system gives no port");
  return address.port;
}

/** Waits until something is there: looks ten times a second. */
export async function until<T>(what: string, look: () => Promise<T | null | undefined | false>): Promise<T> {
  const end = Date.now() + PATIENCE_MS;
  while (Date.now() < end) {
    const found = await look().catch(() => null);
    if (found) return found;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`never came: ${what}`);
}

/** `forewarn watch` on the shop of the demo, without the demo's planned faults. */
export class Watched {
  readonly token = `fw_${randomBytes(32).toString("hex")}`;
  private child: ChildProcess | null = null;

  private constructor(
    private readonly folder: string,
    private readonly port: number,
  ) {}

  /** Trains the demo's models, and takes its configuration with another speed and another token. */
  static async train(speed: number): Promise<Watched> {
    const folder = mkdtempSync(join(tmpdir(), "forewarn-page-"));
    folders.add(folder);
    const port = await freePort();
    const demo = run(["demo", "--folder", folder, "--port", String(port)], true);
    let said = "";
    demo.stdout?.on("data", (text) => {
      said += text;
    });
    await until("the demo's link", async () => said.includes("#token="));
    demo.kill("SIGTERM");
    await ended(demo);
    rmSync(join(folder, "store"), { recursive: true });
    rmSync(join(folder, "events.ndjson"));
    const watched = new Watched(folder, port);
    const path = join(folder, "forewarn.toml");
    const [before] = readFileSync(path, "utf8").split("\n[[source.drill]]");
    const hash = createHash("sha256").update(watched.token).digest("hex");
    const http = `[http]\nlisten = "127.0.0.1:${port}"\nanonymous_reads = false\n`;
    const token = `[[token]]\nname = "test"\nrole = "operator"\nsha256 = "${hash}"\n`;
    writeFileSync(path, `${before?.replace(/^speed = .*$/m, `speed = ${speed.toFixed(1)}`)}\n${http}${token}`);
    return watched;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/`;
  }

  /** Starts it, and waits until it has caught up and moves on. */
  async start(): Promise<void> {
    this.child = run(["watch", "--quiet", "--config", join(this.folder, "forewarn.toml")]);
    this.child.stdout?.resume();
    await until("an answer of the server", async () => {
      const before = await this.get<{ next_minute: string | null; row_age_seconds: number | null }>("status");
      return before.next_minute !== null && (before.row_age_seconds ?? 1e9) < 600;
    });
  }

  /** Ends it as a crash does. */
  async kill(): Promise<void> {
    this.child?.kill("SIGKILL");
    if (this.child) await ended(this.child);
  }

  async get<T>(path: string): Promise<T> {
    const headers = { authorization: `Bearer ${this.token}` };
    const response = await fetch(`${this.url}api/v1/${path}`, { headers });
    if (!response.ok) throw new Error(`${path}: status ${response.status}`);
    return (await response.json()) as T;
  }
}
