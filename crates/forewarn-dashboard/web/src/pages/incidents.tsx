// Cascades as one thing each: where they probably began, and who may follow.
import { query } from "../api/client";
import { useResource } from "../api/resource";
import type { IncidentView, Page, WarningView } from "../api/types";
import { useNow } from "../lib/clock";
import { chance, plural, reach, span } from "../lib/format";
import { Link, useParam } from "../lib/router";
import { parse } from "../lib/time";
import { Icon } from "../ui/icons";
import { Choice, Meter, Moment, Panel, ServiceLink } from "../ui/parts";
import { Answer, Empty } from "../ui/states";
import { Warnings } from "../ui/warnings";

const isRelevant = (event: { event: string }) => event.event === "incident";

export function IncidentsPage({ id }: { id: string | null }) {
  return id ? <Incident id={id} /> : <List />;
}

function List() {
  const [state, setState] = useParam("state", "open");
  const incidents = useResource<Page<IncidentView>>(`incidents${query({ state, limit: 200 })}`, {
    refreshOn: isRelevant,
    keepPrevious: true,
  });
  return (
    <div className="incidents">
      <div className="toolbar">
        <Choice
          label="Which incidents"
          value={state as "open" | "closed" | "all"}
          options={[
            { value: "open", label: "Open" },
            { value: "closed", label: "Closed" },
            { value: "all", label: "All" },
          ]}
          onChange={setState}
        />
      </div>
      <Answer of={incidents}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title={state === "open" ? "No incident is open" : "No incident yet"}>
              Warnings and failures of services that call each other become one incident.
            </Empty>
          ) : (
            <ul className="incident-list">
              {items.map((incident) => (
                <Row key={incident.id} incident={incident} />
              ))}
            </ul>
          )
        }
      </Answer>
    </div>
  );
}

function Row({ incident }: { incident: IncidentView }) {
  const root = incident.suspects[0];
  const isOpen = incident.closed_at === null && incident.state !== "closed";
  return (
    <li>
      <Link className={`incident-row ${isOpen ? "is-open" : ""}`} to={`/incidents/${encodeURIComponent(incident.id)}`}>
        <span className="incident-state">
          <Icon name={isOpen ? "incidents" : "check"} size={16} />
          {isOpen ? "Open" : "Closed"}
        </span>
        <span className="incident-what">
          <b>{root ? `Probably began in ${root.service}` : incident.services.join(", ")}</b>
          <span>
            {plural(incident.services.length, "service")}: {incident.services.join(", ")}
            {incident.victims.length > 0 &&
              isOpen &&
              ` · may reach ${incident.victims.map((v) => v.service).join(", ")}`}
          </span>
        </span>
        <span className="incident-when">
          <Moment time={incident.since} />
          <Duration incident={incident} />
        </span>
      </Link>
    </li>
  );
}

function Duration({ incident }: { incident: IncidentView }) {
  const now = useNow();
  const since = parse(incident.since);
  const end = parse(incident.closed_at) ?? now;
  return <span className="quiet">{since === null ? "" : `for ${span((end - since) / 1000)}`}</span>;
}

function Incident({ id }: { id: string }) {
  const incident = useResource<IncidentView>(`incidents/${encodeURIComponent(id)}`, {
    refreshOn: (event) => event.event === "incident" && event.id === id,
  });
  return (
    <div className="incident">
      <p className="back">
        <Link to="/incidents">
          <Icon name="back" size={15} /> All incidents
        </Link>
      </p>
      <Answer of={incident} rows={6}>
        {(data) => <Body incident={data} />}
      </Answer>
    </div>
  );
}

function Body({ incident }: { incident: IncidentView }) {
  const isOpen = incident.closed_at === null && incident.state !== "closed";
  const root = incident.suspects[0];
  return (
    <>
      <header className={`incident-head ${isOpen ? "is-open" : ""}`}>
        <p className="incident-title">
          {root ? (
            <>
              Probably began in <ServiceLink name={root.service} />
            </>
          ) : (
            "Where it began is not known"
          )}
        </p>
        <p className="quiet">
          {isOpen ? "Open" : "Closed"} · since <Moment time={incident.since} /> · <Duration incident={incident} />
          {incident.blast_radius !== null && ` · may bring down ${reach(incident.blast_radius)}`}
        </p>
        {incident.path.length > 1 && <Path names={incident.path} victims={incident.victims} />}
      </header>
      <div className="incident-columns">
        <Panel title="Where it began" note="Share of suspicion, by the graph and the order of events">
          {incident.suspects.length === 0 ? (
            <Empty title="Not known" />
          ) : (
            <ul className="shares">
              {incident.suspects.map((suspect) => (
                <li key={suspect.service}>
                  <ServiceLink name={suspect.service} />
                  <b>{chance(suspect.share)}</b>
                  <Meter share={suspect.share} tone="plain" label={`${suspect.service}: ${chance(suspect.share)}`} />
                </li>
              ))}
            </ul>
          )}
        </Panel>
        <Panel title="Who may follow" note="Services that are not failing yet">
          {incident.victims.length === 0 ? (
            <Empty title="No further service is expected to fail" />
          ) : (
            <ul className="shares">
              {incident.victims.map((victim) => (
                <li key={victim.service}>
                  <ServiceLink name={victim.service} />
                  <b>{chance(victim.probability)}</b>
                  <Meter
                    share={victim.probability}
                    tone="foresee"
                    label={`${victim.service}: ${chance(victim.probability)}`}
                  />
                </li>
              ))}
            </ul>
          )}
        </Panel>
      </div>
      <Panel title="Warnings in it">
        {incident.warnings.length === 0 ? (
          <Empty title="None: a failure came without a warning" />
        ) : (
          <ul className="warnings-of">
            {incident.warnings.map((warning) => (
              <WarningOf key={warning} id={warning} />
            ))}
          </ul>
        )}
      </Panel>
    </>
  );
}

function Path({ names, victims }: { names: string[]; victims: IncidentView["victims"] }) {
  const threatened = new Set(victims.map((victim) => victim.service));
  return (
    <ol className="path" aria-label="How it spreads">
      {names.map((name) => (
        <li key={name} className={threatened.has(name) ? "is-threatened" : ""}>
          <ServiceLink name={name} />
          <span>{threatened.has(name) ? "may follow" : "in it"}</span>
        </li>
      ))}
    </ol>
  );
}

function WarningOf({ id }: { id: string }) {
  const warning = useResource<WarningView>(`warnings/${encodeURIComponent(id)}`, {
    refreshOn: (event) => (event.event === "warning" && event.id === id) || event.event === "outcome",
  });
  if (warning.data) {
    return (
      <li>
        <Warnings items={[warning.data]} named />
      </li>
    );
  }
  return <li className="quiet">{warning.error ? `${id}: ${warning.error.title}` : id}</li>;
}
