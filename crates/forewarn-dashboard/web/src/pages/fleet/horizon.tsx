// The next minutes: who is expected to fail, and when.
import type { Prediction, WarningView } from "../../api/types";
import { useResource } from "../../api/resource";
import { useNow } from "../../lib/clock";
import { chance } from "../../lib/format";
import { Link, servicePath } from "../../lib/router";
import { kind } from "../../lib/text";
import { parse } from "../../lib/time";
import { useLive } from "../../live/store";
import { LevelBadge, Moment } from "../../ui/parts";

/** Warnings that get a row of their own. */
const ROWS = 6;

export function Horizon() {
  const all = useLive((live) => live.warnings);
  const services = useLive((live) => live.services);
  // What fails already is no longer ahead.
  const warnings = all.filter((warning) => !services.get(warning.service)?.failing_since);
  const period = useLive((live) => live.status?.period_minutes ?? 5);
  if (warnings.length === 0) return null;
  const shown = [...warnings]
    .sort((a, b) => Number(a.silenced) - Number(b.silenced) || (b.probability ?? 0) - (a.probability ?? 0))
    .slice(0, ROWS);
  const more = warnings.length - shown.length;
  return (
    <section className="panel horizon" aria-labelledby="horizon-title">
      <header className="panel-head">
        <div className="panel-titles">
          <h2 id="horizon-title">The next {period} minutes</h2>
          <p className="panel-note">Each bar is the probability that the failure begins in that minute</p>
        </div>
      </header>
      <div className="horizon-scale" aria-hidden="true">
        <span />
        <span className="horizon-minutes">
          {Array.from({ length: period }, (_, index) => (
            <span key={index}>+{index + 1} min</span>
          ))}
        </span>
        <span />
      </div>
      <ul>
        {shown.map((warning) => (
          <Row key={warning.id} warning={warning} period={period} />
        ))}
      </ul>
      {more > 0 && (
        <p className="horizon-more">
          and {more} more: <Link to="/?status=warning">all warned services</Link>
        </p>
      )}
    </section>
  );
}

function Row({ warning, period }: { warning: WarningView; period: number }) {
  const prediction = useResource<Prediction>(`predictions/${encodeURIComponent(warning.service)}`, {
    refreshOn: (event) => event.event === "score" && event.service === warning.service,
  }).data;
  const now = useNow();
  const probability = prediction?.probability ?? warning.probability;
  const steps = prediction?.per_step ?? null;
  const inMinutes = prediction?.minutes_to_failure ?? null;
  const base = parse(prediction?.time ?? warning.since) ?? now;
  const left = inMinutes === null ? null : base / 60_000 + inMinutes - now / 60_000;
  const top = Math.max(0.25, ...(steps ?? []).map((step) => step ?? 0));
  return (
    <li>
      <Link className="horizon-row" to={servicePath(warning.service)}>
        <span className="horizon-name">
          <b>{warning.service}</b>
          <span>{kind(warning.kind)}</span>
        </span>
        <span className="horizon-track">
          {Array.from({ length: period }, (_, index) => {
            const step = steps?.[index] ?? null;
            return (
              <span key={index} className="horizon-slot">
                <span
                  className={step === null ? "horizon-bar is-even" : "horizon-bar"}
                  style={{ height: step === null ? "30%" : `${Math.max(4, (step / top) * 100)}%` }}
                />
              </span>
            );
          })}
        </span>
        <span className="horizon-end">
          <b>{chance(probability)}</b>
          <span>
            {left === null ? (
              <>
                since <Moment time={warning.since} />
              </>
            ) : left > 0.5 ? (
              `in about ${Math.round(left)} min`
            ) : (
              "any moment"
            )}
          </span>
        </span>
        <span className="horizon-level">
          <LevelBadge level={prediction?.level ?? warning.level} />
          {warning.silenced && <span className="quiet">silenced</span>}
          {warning.acknowledged && <span className="quiet">acknowledged</span>}
        </span>
      </Link>
    </li>
  );
}
