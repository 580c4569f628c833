// The frame of the page: navigation, the bar above, and the page that the address names.
import { useEffect, useRef, useState } from "react";
import { Guard } from "./ui/states";
import { Notes } from "./ui/dialog";
import { Icon, type IconName } from "./ui/icons";
import { Link, type Route, navigate, useRoute } from "./lib/router";
import type { Chaos } from "./api/types";
import { serverNow, useLive } from "./live/store";
import { Bar } from "./ui/bar";
import { SignIn } from "./ui/signin";
import { ChaosPage } from "./pages/chaos";
import { EventsPage } from "./pages/events";
import { FleetPage } from "./pages/fleet";
import { IncidentsPage } from "./pages/incidents";
import { LedgerPage } from "./pages/ledger";
import { ModelsPage } from "./pages/models";
import { ServicePage } from "./pages/service";
import { SlosPage } from "./pages/slos";
import { StatusPage } from "./pages/status";
import { TopologyPage } from "./pages/topology";
import { Empty } from "./ui/states";

interface Entry {
  path: string;
  label: string;
  icon: IconName;
  /** Whether it has a place in the bar of a phone. */
  first?: boolean;
}

const ENTRIES: Entry[] = [
  { path: "/", label: "Fleet", icon: "fleet", first: true },
  { path: "/topology", label: "Topology", icon: "topology", first: true },
  { path: "/incidents", label: "Incidents", icon: "incidents", first: true },
  { path: "/ledger", label: "Ledger", icon: "ledger", first: true },
  { path: "/slos", label: "SLOs", icon: "slos" },
  { path: "/events", label: "Events", icon: "events" },
  { path: "/chaos", label: "Chaos", icon: "chaos" },
  { path: "/models", label: "Models", icon: "models" },
  { path: "/status", label: "Status", icon: "status" },
];

function page(route: Route): { title: string; content: React.ReactNode } {
  const [first, second, ...rest] = route.parts;
  if (rest.length === 0) {
    if (first === "services" && second) return { title: second, content: <ServicePage key={second} name={second} /> };
    if (first === "incidents") return { title: "Incidents", content: <IncidentsPage id={second ?? null} /> };
    if (second === undefined) {
      switch (first) {
        case undefined:
        case "services":
          return { title: "Fleet", content: <FleetPage /> };
        case "topology":
          return { title: "Topology", content: <TopologyPage /> };
        case "ledger":
          return { title: "Ledger", content: <LedgerPage /> };
        case "slos":
          return { title: "SLOs", content: <SlosPage /> };
        case "events":
          return { title: "Events", content: <EventsPage /> };
        case "chaos":
          return { title: "Chaos", content: <ChaosPage /> };
        case "models":
          return { title: "Models", content: <ModelsPage /> };
        case "status":
          return { title: "Status", content: <StatusPage /> };
      }
    }
  }
  return {
    title: "Not found",
    content: (
      <Empty title="There is no such page">
        <Link to="/">Go to the fleet</Link>
      </Empty>
    ),
  };
}

export function App() {
  const route = useRoute();
  const { title, content } = page(route);
  const key = route.parts.join("/");
  const main = useRef<HTMLElement>(null);
  const isFirst = useRef(true);
  const warned = useLive((live) => live.warnings.length);

  useEffect(() => {
    document.title = `${warned ? `(${warned}) ` : ""}${title} · forewarn`;
  }, [title, warned]);

  // After a change of the page the focus is on it, so that a screen reader reads it.
  useEffect(() => {
    if (isFirst.current) isFirst.current = false;
    else main.current?.focus({ preventScroll: true });
  }, [key]);

  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement | null;
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (target?.closest("input, select, textarea, dialog")) return;
      if (event.key === "/") {
        const search = document.querySelector<HTMLInputElement>("[data-search]");
        if (search) search.focus();
        else navigate("/");
        event.preventDefault();
      }
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);

  return (
    <div className="shell">
      <a
        className="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        Skip to the content
      </a>
      <Navigation active={route.parts[0] ?? ""} />
      <div className="column">
        <Bar title={title} />
        <main id="main" ref={main} tabIndex={-1}>
          <SignIn />
          <Guard resetKey={key}>{content}</Guard>
        </main>
      </div>
      <Notes />
    </div>
  );
}

/** How many of the faults that the last snapshot knew of act now: planned ones begin later, and all end. */
function acting(chaos: Chaos | null): number {
  const now = serverNow();
  const acts = ({ started, ends }: { started: string; ends: string }) =>
    Date.parse(started) <= now && now < Date.parse(ends);
  return chaos?.active?.filter(acts).length ?? 0;
}

function Navigation({ active }: { active: string }) {
  const [open, setOpen] = useState(false);
  const firing = useLive((live) => live.warnings.length);
  const incidents = useLive((live) => live.incidents.length);
  const faults = useLive((live) => acting(live.chaos));
  const down = useLive((live) => live.status?.sources.filter((source) => source.status !== "up").length ?? 0);
  const counts: Record<string, [number, string]> = {
    "/": [firing, "warnings"],
    "/incidents": [incidents, "open"],
    "/chaos": [faults, "active"],
    "/status": [down, "sources in trouble"],
  };
  const place = active === "services" ? "" : active;
  return (
    <nav className={`nav ${open ? "is-open" : ""}`} aria-label="Pages">
      <Link to="/" className="brand" aria-label="forewarn: fleet">
        <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">
          <path className="brand-line" d="M4 21h6l3.6-10 4.6 13.4 3-7.4H28" />
          <circle className="brand-dot" cx="28" cy="7" r="2.8" />
        </svg>
        <span>forewarn</span>
      </Link>
      <ul onClick={() => setOpen(false)}>
        {ENTRIES.map(({ path, label, icon, first }) => {
          const [count, what] = counts[path] ?? [0, ""];
          return (
            <li key={path} className={first ? "is-first" : ""}>
              <Link to={path} aria-current={path === `/${place}` ? "page" : undefined}>
                <Icon name={icon} />
                <span className="nav-label">{label}</span>
                {count > 0 && (
                  <span className="nav-count">
                    {count}
                    <span className="hidden"> {what}</span>
                  </span>
                )}
              </Link>
            </li>
          );
        })}
      </ul>
      <button type="button" className="nav-more" aria-expanded={open} onClick={() => setOpen((old) => !old)}>
        <Icon name={open ? "close" : "more"} />
        <span className="nav-label">{open ? "Close" : "More"}</span>
      </button>
    </nav>
  );
}
