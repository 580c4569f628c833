// A stand-in for the server, for work on the page and for its tests: it serves the built page and the API's answers of
// a made-up shop. `node mock/server.mjs [--port 8090] [--services 1000] [--minute 60]` (seconds of a made-up minute).
//
// POST /mock/set {delay, down, deaf, services, empty, minute} changes how it behaves: answers come late, all lines are
// cut and stay cut, sockets and streams are refused, there are more services or none, minutes pass faster.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { WebSocketServer } from "ws";
import { World } from "./world.mjs";

const DIST = fileURLToPath(new URL("../../dist/", import.meta.url));
const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".woff2": "font/woff2",
};
const CSP = "default-src 'self'; base-uri 'self'; frame-ancestors 'none'; form-action 'self'";

export async function start({ port = 0, services = 0, base = "/", minute = 60, now = undefined } = {}) {
  const token = "a-token-for-tests";
  let world = new World({ services, now });
  const settings = { delay: 0, down: false, deaf: false, empty: false, minute };
  const sockets = new Set();
  const streams = new Set();

  const send = (socket, message) => socket.readyState === 1 && socket.send(JSON.stringify(message));
  const all = (message) => {
    for (const socket of sockets) send(socket, message);
    for (const stream of streams) stream.write(`data: ${JSON.stringify(message)}\n\n`);
  };
  const snapshot = () => {
    const whole = world.snapshot(sockets.size + streams.size);
    return settings.empty ? { ...whole, services: [], warnings: [], incidents: [] } : whole;
  };

  const beat = setInterval(() => {
    const services = Object.fromEntries(
      world.names.slice(0, 14).map((name) => [name, { cpu: world.summary(name).gauges.cpu }]),
    );
    all({
      type: "beat",
      now: new Date().toISOString(),
      row_age_seconds: (Date.now() - world.minute) / 1000,
      seq: world.seq,
      services: settings.empty ? {} : services,
    });
  }, 2000);
  let clock = setTimeout(tick, settings.minute * 1000);
  function tick() {
    for (const event of world.advance()) if (!settings.empty) all({ type: "event", seq: event.seq, event });
    clock = setTimeout(tick, settings.minute * 1000);
  }

  const server = createServer(async (request, response) => {
    const url = new URL(request.url, "http://mock");
    if (url.pathname === "/mock/set") return set(request, response);
    if (settings.down) return request.socket.destroy();
    if (settings.delay) await new Promise((done) => setTimeout(done, settings.delay));
    if (!url.pathname.startsWith(base)) return problem(response, 404, "Not found");
    const below = url.pathname.slice(base.length);
    try {
      if (below.startsWith("api/v1/")) await api(request, response, below.slice(7), url.searchParams);
      else await page(response, below);
    } catch (error) {
      problem(response, 500, "The mock has a defect", String(error?.stack ?? error));
    }
  });

  const upgrade = new WebSocketServer({ noServer: true });
  server.on("upgrade", (request, socket, head) => {
    if (settings.down || settings.deaf || !request.url.startsWith(`${base}api/v1/live`)) return socket.destroy();
    upgrade.handleUpgrade(request, socket, head, (client) => {
      sockets.add(client);
      client.on("close", () => sockets.delete(client));
      // The first word of a client that goes on is where it was; else it gets all there is.
      let greeted = false;
      const greet = (after) => {
        if (greeted) return;
        greeted = true;
        const oldest = world.events[0]?.seq ?? world.seq;
        if (after === null || after < oldest - 1 || after > world.seq) return send(client, snapshot());
        for (const event of world.events) if (event.seq > after) send(client, { type: "event", seq: event.seq, event });
        send(client, {
          type: "beat",
          now: new Date().toISOString(),
          row_age_seconds: (Date.now() - world.minute) / 1000,
          seq: world.seq,
        });
      };
      client.on("message", (text) => greet(JSON.parse(text).resume ?? null));
      setTimeout(() => greet(null), 60 + settings.delay);
    });
  });

  async function set(request, response) {
    const wanted = await body(request);
    if (wanted.services !== undefined) world = new World({ services: wanted.services, now });
    Object.assign(settings, wanted);
    if (wanted.down) for (const socket of sockets) socket.terminate();
    if (wanted.services !== undefined || wanted.empty !== undefined) all(snapshot());
    if (wanted.minute !== undefined) {
      clearTimeout(clock);
      clock = setTimeout(tick, settings.minute * 1000);
    }
    json(response, settings);
  }

  async function page(response, below) {
    const first = below.split("/")[0];
    const name = !first.includes(".") && first !== "assets" ? "index.html" : below;
    try {
      let bytes = await readFile(path.join(DIST, path.normalize(name)));
      if (name === "index.html") bytes = bytes.toString().replace('<base href="/"', `<base href="${base}"`);
      response.writeHead(200, {
        "content-type": TYPES[path.extname(name)] ?? "application/octet-stream",
        "content-security-policy": CSP,
        "cache-control": "no-cache",
      });
      response.end(bytes);
    } catch {
      problem(response, 404, "Not found", name);
    }
  }

  async function api(request, response, route, search) {
    const { method } = request;
    const [first, second, third] = route.split("/").map(decodeURIComponent);
    const hasCookie = (request.headers.cookie ?? "").includes(`session=${token}`);
    if (method !== "GET" && first !== "session") {
      if (!hasCookie || request.headers["x-forewarn"] !== "1")
        return problem(response, 401, "No token", "this needs the role operator");
    }
    const list = (items) => json(response, { items, total: items.length, next_cursor: null });
    const known = (name) => world.names.includes(name);
    switch (`${method} ${first}`) {
      case "GET session":
        return json(
          response,
          hasCookie ? { role: "operator", name: "demo", reads: true } : { role: null, name: null, reads: true },
        );
      case "POST session": {
        const { token: given } = await body(request);
        if (given !== token) return problem(response, 401, "The token is not known");
        response.setHeader("set-cookie", `session=${token}; HttpOnly; SameSite=Strict; Path=${base}`);
        return json(response, { role: "operator", name: "demo" });
      }
      case "GET status":
        return json(response, world.status(sockets.size));
      case "GET services":
        if (second === undefined) return list(world.names.map((name) => world.summary(name)));
        return known(second) ? json(response, world.detail(second)) : problem(response, 404, "No such service", second);
      case "GET predictions":
        return known(second)
          ? json(response, world.prediction(second))
          : problem(response, 404, "No such service", second);
      case "GET history":
        if (!known(second)) return problem(response, 404, "No such service", second);
        return json(
          response,
          world.history(
            second,
            Date.parse(search.get("from")),
            Date.parse(search.get("to")),
            Number(search.get("resolution") ?? 360),
          ),
        );
      case "GET warnings": {
        const warnings = settings.empty ? [] : world.warnings();
        const service = search.get("service");
        if (service !== null && search.get("state") === "all") {
          const end = world.minute;
          return list(world.history(service, end - 12 * 3_600_000, end, 60).warnings.reverse());
        }
        if (second === undefined) return list(warnings);
        const found = warnings.find((warning) => warning.id === second);
        return found ? json(response, found) : problem(response, 404, "No such warning", second);
      }
      case "POST warnings": {
        world.acknowledged.add(second);
        if (third === "acted") world.acted.add(second);
        const found = world.warnings().find((warning) => warning.id === second);
        return found ? json(response, found) : problem(response, 404, "No such warning", second);
      }
      case "GET incidents": {
        const incidents = settings.empty ? [] : world.incidents();
        if (second !== undefined) {
          const found = incidents.find((incident) => incident.id === second);
          return found ? json(response, found) : problem(response, 404, "No such incident", second);
        }
        const state = search.get("state") ?? "all";
        return list(
          incidents.filter((incident) => state === "all" || (state === "closed") === (incident.state === "closed")),
        );
      }
      case "GET ledger": {
        const ledger = world.ledger({ ...Object.fromEntries(search), limit: Number(search.get("limit") ?? 100) });
        return json(
          response,
          settings.empty ? { models: [], by_day: [], entries: { items: [], next_cursor: null } } : ledger,
        );
      }
      case "GET graph":
        return json(
          response,
          settings.empty ? { nodes: [], edges: [], critical_path: [], cascades: [], blast_radius: {} } : world.graph(),
        );
      case "GET slos":
        return json(response, settings.empty ? [] : world.slos());
      case "GET models":
        return json(response, settings.empty ? { items: [], comparison: null } : world.models());
      case "POST models":
        world.main = second;
        all({
          type: "event",
          ...numbered(
            world.emit(world.minute, {
              event: "action",
              promote: { model: second, reason: (await body(request)).reason },
            }),
          ),
        });
        return json(response, {});
      case "GET silences":
        return json(response, {
          items: [...world.silenced].map(([service, until]) => ({ service, until, comment: null, by: "demo" })),
        });
      case "POST silences": {
        const { service, minutes } = await body(request);
        world.silenced.set(service, new Date(Date.now() + minutes * 60_000).toISOString());
        all({
          type: "event",
          ...numbered(
            world.emit(world.minute, { event: "action", silence: { service, until: world.silenced.get(service) } }),
          ),
        });
        return json(response, {});
      }
      case "GET events": {
        const kind = search.get("kind");
        const frequent = ["row", "score"];
        const after = Number(search.get("after") ?? -1);
        const events = settings.empty
          ? []
          : world.events.filter(
              (event) => event.seq > after && (kind ? event.event === kind : !frequent.includes(event.event)),
            );
        return json(response, { items: events.slice(-1000), next: null });
      }
      case "GET chaos":
        return json(response, settings.empty ? { available: false, kinds: [] } : world.chaos());
      case "POST chaos": {
        const { service, kind, severity, seconds } = await body(request);
        const fault = {
          ...world.fault(kind, service, severity, 0, seconds / 60),
          started: new Date().toISOString(),
          ends: new Date(Date.now() + seconds * 1000).toISOString(),
        };
        world.faults.push(fault);
        return json(response, fault, 201);
      }
      case "DELETE chaos":
        for (const fault of world.faults)
          if (second === undefined || String(fault.id) === second) fault.ends = new Date().toISOString();
        return json(response, {});
      case "POST reset":
        world.faults = [];
        return json(response, {});
      case "GET live":
        if (settings.deaf) return problem(response, 404, "Not found", route);
        response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
        streams.add(response);
        response.on("close", () => streams.delete(response));
        response.write(`data: ${JSON.stringify(snapshot())}\n\n`);
        return;
      default:
        return problem(response, 404, "Not found", route);
    }
  }

  await new Promise((done) => server.listen(port, "127.0.0.1", done));
  return {
    url: `http://127.0.0.1:${server.address().port}${base}`,
    token,
    async stop() {
      clearInterval(beat);
      clearTimeout(clock);
      for (const socket of sockets) socket.terminate();
      upgrade.close();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

function numbered(event) {
  return { seq: event.seq, event };
}

async function body(request) {
  let text = "";
  for await (const chunk of request) text += chunk;
  return text === "" ? {} : JSON.parse(text);
}

function json(response, value, status = 200) {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-cache" });
  response.end(JSON.stringify(value));
}

function problem(response, status, title, detail = null) {
  response.writeHead(status, { "content-type": "application/problem+json" });
  response.end(JSON.stringify({ type: "about:blank", title, status, detail }));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const option = (name, standard) => {
    const at = process.argv.indexOf(`--${name}`);
    return at < 0 ? standard : process.argv[at + 1];
  };
  const { url, token } = await start({
    port: Number(option("port", 8090)),
    services: Number(option("services", 0)),
    minute: Number(option("minute", 60)),
    base: option("base", "/"),
  });
  console.log(`${url}#token=${token}`);
}
