// What is around a service: its budgets, its neighbours, its record.
import type { Counts, Slo } from "../../api/types";
import { chance, percent, plural } from "../../lib/format";
import { Link } from "../../lib/router";
import { OUTCOME } from "../../lib/text";
import { useLive } from "../../live/store";
import { Mark, OutcomeMark } from "../../ui/icons";
import { Meter, Panel, ServiceLink } from "../../ui/parts";

export function Budgets({ slos }: { slos: Slo[] }) {
  if (slos.length === 0) return null;
  return (
    <Panel title="Objectives" actions={<Link to="/slos">All SLOs</Link>}>
      <ul className="budgets">
        {slos.map((slo) => (
          <li key={slo.objective}>
            <div className="budget-head">
              <span>{slo.objective}</span>
              <b>{percent(slo.budget_left)} left</b>
            </div>
            <Meter
              share={slo.budget_left}
              tone={slo.violated ? "failing" : (slo.budget_left ?? 1) < 0.25 ? "warning" : "ok"}
              label={`${percent(slo.budget_left)} of the error budget of ${slo.window_days} days is left`}
            />
          </li>
        ))}
      </ul>
    </Panel>
  );
}

export function Neighbours({ servers, clients }: { servers: string[]; clients: string[] }) {
  const services = useLive((live) => live.services);
  if (servers.length + clients.length === 0) return null;
  const list = (names: string[]) => (
    <ul className="neighbours">
      {names.map((name) => {
        const service = services.get(name);
        return (
          <li key={name}>
            <Mark standing={service?.status ?? "unknown"} size={14} />
            <ServiceLink name={name} />
            <span className="quiet">{chance(service?.probability)}</span>
          </li>
        );
      })}
    </ul>
  );
  return (
    <Panel title="Neighbours" actions={<Link to="/topology">Topology</Link>}>
      {servers.length > 0 && (
        <>
          <h3>It calls</h3>
          {list(servers)}
        </>
      )}
      {clients.length > 0 && (
        <>
          <h3>It is called by</h3>
          {list(clients)}
        </>
      )}
    </Panel>
  );
}

/** What became of all warnings and failures of a service. */
export function Record({ ledger, name }: { ledger: Counts; name: string }) {
  const rows = [
    ["hit", ledger.hits],
    ["late", ledger.late],
    ["false", ledger.false],
    ["missed", ledger.missed],
    ["averted", ledger.averted],
    ["censored", ledger.censored],
  ] as const;
  const all = rows.reduce((sum, [, count]) => sum + (count ?? 0), 0);
  return (
    <Panel
      title="Its record"
      note={all ? plural(all, "entry", "entries") : "Nothing judged yet"}
      actions={<Link to={`/ledger?service=${encodeURIComponent(name)}`}>Ledger</Link>}
    >
      {all > 0 && (
        <ul className="record">
          {rows.map(([outcome, count]) => (
            <li key={outcome} className={count ? "" : "is-zero"}>
              <OutcomeMark outcome={outcome} />
              {OUTCOME[outcome]}
              <b>{count ?? 0}</b>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
