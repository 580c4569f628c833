// The bar above each page: its title, how fresh the data is, and the reader's choices.
import { useSession } from "../api/session";
import { useNow } from "../lib/clock";
import { span } from "../lib/format";
import { type ThemeChoice, setTheme, setZone, useSettings } from "../lib/settings";
import { clock, clockSeconds, parse } from "../lib/time";
import { reconnect, useLive } from "../live/store";
import { Icon, type IconName } from "./icons";

export function Bar({ title }: { title: string }) {
  return (
    <header className="bar">
      <h1>{title}</h1>
      <Freshness />
      <Choices />
    </header>
  );
}

function Freshness() {
  const now = useNow();
  const connection = useLive((live) => live.connection);
  const rowAge = useLive((live) => live.rowAge);
  const heardAt = useLive((live) => live.heardAt);
  const rate = useLive((live) => live.rate);
  const next = useLive((live) => live.status?.next_minute ?? null);
  const step = useLive((live) => live.status?.step_seconds ?? 60);
  const { zone } = useSettings();
  if (connection.phase === "lost") {
    const left = connection.retryAt === null ? 0 : Math.max(0, (connection.retryAt - Date.now()) / 1000);
    const age = connection.lostAt === null ? 0 : (Date.now() - connection.lostAt) / 1000;
    return (
      <div className="fresh is-lost">
        <span className="fresh-dot" />
        <span role="status">Connection lost{age >= 2 ? <span aria-hidden="true"> {span(age)} ago</span> : null}</span>
        <button type="button" className="link-button" onClick={reconnect} disabled={connection.retryAt === null}>
          {connection.retryAt === null ? "Trying…" : `Retry${left > 1 ? ` (${Math.ceil(left)} s)` : ""}`}
        </button>
      </div>
    );
  }
  if (connection.phase === "connecting") {
    return (
      <div className="fresh is-connecting" role="status">
        <span className="fresh-dot" />
        Connecting…
      </div>
    );
  }
  const age = rowAge === null ? null : rowAge + (Math.max(0, Date.now() - heardAt) / 1000) * rate;
  const old = age !== null && age > 4 * step;
  return (
    <div className={`fresh ${old ? "is-old" : "is-live"}`}>
      <span className="fresh-dot" />
      <span>{old ? "Old data" : "Live"}</span>
      <span className="fresh-age" title="Age of the newest closed row">
        {age !== null
          ? `row ${span(age)} old`
          : next === null
            ? "no rows yet"
            : `rows to ${clock(parse(next) ?? 0, zone)}`}
      </span>
      <span className="fresh-clock">{clockSeconds(now, zone)}</span>
    </div>
  );
}

const NEXT: Record<ThemeChoice, ThemeChoice> = { system: "light", light: "dark", dark: "system" };
const THEME_ICON: Record<ThemeChoice, IconName> = { system: "system", light: "sun", dark: "moon" };
const THEME_NAME: Record<ThemeChoice, string> = { system: "as the system", light: "light", dark: "dark" };

function Choices() {
  const { theme, zone } = useSettings();
  const session = useSession();
  return (
    <div className="choices">
      {session.role && (
        <span className="role" title={session.name ? `Signed in as ${session.name}` : undefined}>
          {session.role}
        </span>
      )}
      <button
        type="button"
        className="zone-button"
        aria-label={`Times are ${zone === "utc" ? "in UTC" : "local"}; change`}
        onClick={() => setZone(zone === "utc" ? "local" : "utc")}
      >
        {zone === "utc" ? "UTC" : "Local"}
      </button>
      <button
        type="button"
        className="icon-button"
        aria-label={`Colours: ${THEME_NAME[theme]}; change to ${THEME_NAME[NEXT[theme]]}`}
        title={`Colours: ${THEME_NAME[theme]}`}
        onClick={() => setTheme(NEXT[theme])}
      >
        <Icon name={THEME_ICON[theme]} />
      </button>
    </div>
  );
}
