// One service: how it stands, its risk, and six gauges.
import { memo } from "react";
import type { Gauges, ServiceSummary } from "../../api/types";
import { chance, latency, number, percent } from "../../lib/format";
import { Link, servicePath } from "../../lib/router";
import { LEVEL, STANDING, reason } from "../../lib/text";
import { LevelSteps, Mark } from "../../ui/icons";
import { Moment } from "../../ui/parts";
import { Spark } from "../../ui/spark";

interface GaugeShape {
  key: keyof Gauges;
  label: string;
  format: (value: number | null) => string;
  /** Where the value is on a bar, 0 to 1. Ratios as they are, the rest by orders of magnitude. */
  place: (value: number) => number;
}

export const GAUGES: readonly GaugeShape[] = [
  { key: "cpu", label: "CPU", format: percent, place: (value) => value },
  { key: "memory", label: "Memory", format: percent, place: (value) => value },
  { key: "latency", label: "Latency", format: latency, place: (value) => Math.log10(1 + value) / 4 },
  { key: "error_rate", label: "Errors", format: percent, place: (value) => Math.sqrt(Math.min(1, value * 5)) },
  {
    key: "throughput",
    label: "Requests",
    format: (value) => (value === null ? number(value) : `${number(value)}/s`),
    place: (value) => Math.log10(1 + value) / 5,
  },
  {
    key: "availability",
    label: "Available",
    format: percent,
    // The last tenth is what matters.
    place: (value) => Math.max(0, (value - 0.9) * 10),
  },
];

/** How a gauge looks at: strained near the end of its bar. Only for gauges of which high is bad. */
function tone(key: keyof Gauges, value: number | null): string {
  if (value === null) return "unknown";
  if (key === "cpu" || key === "memory") return value >= 0.95 ? "failing" : value >= 0.85 ? "warning" : "plain";
  if (key === "error_rate") return value >= 0.05 ? "failing" : value >= 0.02 ? "warning" : "plain";
  if (key === "availability") return value < 0.99 ? "warning" : "plain";
  return "plain";
}

export function under(service: ServiceSummary): string {
  if (service.status === "failing") return "Failing";
  if (service.probability === null) return reason(service.cannot_tell ?? service.missing);
  return `${STANDING[service.status]} · ${service.level ? LEVEL[service.level].toLowerCase() : "unknown"} risk`;
}

export const Card = memo(function Card({ service }: { service: ServiceSummary }) {
  return (
    <Link className={`card is-${service.status}`} to={servicePath(service.name)}>
      <span className="card-head">
        <Mark standing={service.status} size={18} />
        <span className="card-titles">
          <span className="card-name">{service.name}</span>
          <span className="card-under">
            {service.status === "failing" && service.failing_since ? (
              <>
                Failing since <Moment time={service.failing_since} />
              </>
            ) : (
              under(service)
            )}
            {service.silenced_until && " · silenced"}
          </span>
        </span>
        <span className="card-risk">
          <span className="card-chance">{chance(service.probability)}</span>
          <LevelSteps level={service.level} />
        </span>
      </span>
      <Spark values={service.recent ?? []} />
      <span className="gauges">
        {GAUGES.map(({ key, label, format, place }) => {
          const value = service.gauges[key] ?? null;
          return (
            <span key={key} className={`gauge tone-${tone(key, value)}`}>
              <span className="gauge-label">{label}</span>
              <span className="gauge-value">{format(value)}</span>
              <span className="gauge-bar">
                <span style={{ width: `${value === null ? 0 : Math.min(1, Math.max(0.02, place(value))) * 100}%` }} />
              </span>
            </span>
          );
        })}
      </span>
    </Link>
  );
});

export function RowHead() {
  return (
    <div role="rowgroup">
      <div role="row" className="row row-head">
        <span role="columnheader">Service</span>
        <span role="columnheader">Standing</span>
        <span role="columnheader" className="is-number">
          Risk
        </span>
        <span role="columnheader">Last hour</span>
        {GAUGES.map(({ key, label }) => (
          <span role="columnheader" key={key} className="is-number">
            {label}
          </span>
        ))}
      </div>
    </div>
  );
}

export const Row = memo(function Row({ service, top }: { service: ServiceSummary; top: number }) {
  return (
    <div role="row" className="row" style={{ position: "absolute", top, left: 0, right: 0 }}>
      <span role="cell" className="row-name">
        <Mark standing={service.status} size={15} />
        <Link to={servicePath(service.name)}>{service.name}</Link>
      </span>
      <span role="cell" className="row-standing">
        {under(service)}
      </span>
      <span role="cell" className="is-number row-risk">
        {chance(service.probability)}
      </span>
      <span role="cell" aria-label="Drawing of the last probabilities">
        <Spark values={service.recent ?? []} height={24} />
      </span>
      {GAUGES.map(({ key, format }) => {
        const value = service.gauges[key] ?? null;
        return (
          <span role="cell" key={key} className={`is-number tone-${tone(key, value)}`}>
            {format(value)}
          </span>
        );
      })}
    </div>
  );
});
