// The service itself: its sources, its store, and what it had to refuse.
import { useResource } from "../api/resource";
import type { Silence, Page, Status } from "../api/types";
import { useNow } from "../lib/clock";
import { bytes, minutes, number, span, words } from "../lib/format";
import { parse } from "../lib/time";
import { useLive } from "../live/store";
import { Icon } from "../ui/icons";
import { Figure, Moment, Panel, ServiceLink } from "../ui/parts";
import { Answer, Empty } from "../ui/states";
import { href } from "../lib/router";

export function StatusPage() {
  const status = useResource<Status>("status", { refreshOn: () => true, atMostEvery: 5000 });
  return (
    <Answer of={status} rows={6}>
      {(data) => <Body status={data} />}
    </Answer>
  );
}

function Body({ status }: { status: Status }) {
  useNow();
  const rowAge = useLive((live) => live.rowAge) ?? status.row_age_seconds;
  const missed = useLive((live) => live.missed);
  const started = parse(status.started);
  const troubled = status.sources.filter((source) => source.status !== "up").length;
  const limits = Object.entries(status.limits_hit);
  const counters = Object.entries(status.counters);
  return (
    <div className="status">
      <p className="headline-text">
        {status.reload_error
          ? "The configuration could not be read again; the one before holds."
          : status.store?.degraded
            ? "The store cannot write: scoring goes on in memory."
            : troubled
              ? `${troubled} of ${status.sources.length} sources ${troubled === 1 ? "is" : "are"} in trouble.`
              : "All parts work."}
      </p>
      {status.reload_error && <p className="failed-text">{status.reload_error}</p>}
      <dl className="figures">
        <Figure label="Newest row" value={span(rowAge)} note={`one each ${span(status.step_seconds)}`} />
        <Figure
          label="Running for"
          value={started === null ? "–" : span((Date.now() - started) / 1000)}
          note={`${status.name} ${status.version}`}
        />
        <Figure
          label="Not on disk yet"
          value={bytes(status.store?.bytes)}
          note={
            status.store === null ? "none" : status.store.degraded ? (status.store.error ?? "cannot write") : "writes"
          }
          tone={status.store?.degraded ? "failing" : undefined}
        />
        <Figure label="Pages open" value={number(status.clients)} note={`event ${status.seq ?? "none yet"}`} />
      </dl>
      <div className="status-columns">
        <Panel title="Sources">
          {status.sources.length === 0 ? (
            <Empty title="No source has said anything" />
          ) : (
            <ul className="sources">
              {status.sources.map((source) => (
                <li key={source.name} className={`is-${source.status}`}>
                  <span className="source-state">
                    <Icon
                      name={source.status === "up" ? "check" : source.status === "down" ? "close" : "more"}
                      size={15}
                    />
                    {source.status === "up" ? "Up" : source.status === "down" ? "Down" : "In part"}
                  </span>
                  <b>{source.name}</b>
                  <span className="quiet">
                    {source.reason ?? (
                      <>
                        last row <Moment time={source.last_row} />
                      </>
                    )}
                  </span>
                </li>
              ))}
            </ul>
          )}
        </Panel>
        <Panel title="How it predicts">
          <dl className="pairs">
            <dt>Failing is</dt>
            <dd>{status.failure_rule}</dd>
            <dt>Looks back</dt>
            <dd>{minutes(status.observation_minutes)}</dd>
            <dt>Looks ahead</dt>
            <dd>{minutes(status.period_minutes)}</dd>
            <dt>Next minute</dt>
            <dd>
              <Moment time={status.next_minute} />
            </dd>
            <dt>Replayed at the start</dt>
            <dd>{number(status.replayed)}</dd>
            <dt>Metrics</dt>
            <dd>{status.metrics.map((metric) => words(metric.name)).join(", ")}</dd>
          </dl>
        </Panel>
        <Panel title="Limits hit" note="What was refused or cut, since the start">
          {limits.length === 0 || limits.every(([, count]) => count === 0) ? (
            <Empty title="No limit was hit" />
          ) : (
            <dl className="facts">
              {limits.map(([name, count]) => (
                <div key={name}>
                  <dt>{words(name)}</dt>
                  <dd>{number(count)}</dd>
                </div>
              ))}
            </dl>
          )}
        </Panel>
        <Panel title="Counters">
          <dl className="facts">
            {counters.map(([name, count]) => (
              <div key={name}>
                <dt>{words(name)}</dt>
                <dd>{number(count)}</dd>
              </div>
            ))}
            {missed > 0 && (
              <div>
                <dt>Events this page was too slow for</dt>
                <dd>{number(missed)}</dd>
              </div>
            )}
          </dl>
        </Panel>
        <Silences />
        <Panel title="More">
          <ul className="links">
            <li>
              <a href={href("/api/v1/openapi.json")}>OpenAPI document</a>
            </li>
            <li>
              <a href={href("/metrics")}>Metrics for Prometheus</a>
            </li>
            <li>
              <a href={href("/licences.txt")}>Licences of what this page is made with</a>
            </li>
          </ul>
        </Panel>
      </div>
    </div>
  );
}

function Silences() {
  const silences = useResource<Silence[] | Page<Silence>>("silences", {
    refreshOn: (event) => event.event === "action",
  });
  const items = silences.data === undefined ? [] : Array.isArray(silences.data) ? silences.data : silences.data.items;
  return (
    <Panel title="Silences">
      {items.length === 0 ? (
        <Empty title="No service is silenced" />
      ) : (
        <ul className="sources">
          {items.map((silence) => (
            <li key={`${silence.service} ${silence.until}`}>
              <ServiceLink name={silence.service} />
              <span>
                until <Moment time={silence.until} />
              </span>
              {(silence.comment || silence.by) && (
                <span className="quiet">
                  {[silence.comment, silence.by && `by ${silence.by}`].filter(Boolean).join(", ")}
                </span>
              )}
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
