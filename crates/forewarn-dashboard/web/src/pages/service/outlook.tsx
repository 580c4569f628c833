// What the model expects, how sure it is, and why.
import type { Resource } from "../../api/resource";
import type { EvidenceItem, Prediction, Recommendation, ServiceSummary } from "../../api/types";
import { chance, minutes, number, words } from "../../lib/format";
import { kind, reason } from "../../lib/text";
import { useLive } from "../../live/store";
import { LevelBadge, Moment, OutcomeBadge, Panel } from "../../ui/parts";
import { Hazard } from "../../ui/spark";
import { Answer, Empty } from "../../ui/states";
import { Icon } from "../../ui/icons";

export function Outlook({ prediction, service }: { prediction: Resource<Prediction>; service: ServiceSummary }) {
  const period = useLive((live) => live.status?.period_minutes ?? 5);
  return (
    <Panel
      title={`The next ${period} minutes`}
      note={
        prediction.data && (
          <>
            as of <Moment time={prediction.data.time} />
          </>
        )
      }
    >
      <Answer of={prediction}>
        {(data) =>
          data.probability === null ? (
            <Empty title="Cannot tell">{reason(data.cannot_tell ?? service.cannot_tell)}</Empty>
          ) : (
            <div className="outlook">
              <div className="outlook-figure">
                <span className="outlook-chance">{chance(data.probability)}</span>
                <span className="outlook-words">
                  probability that a failure begins
                  <LevelBadge level={data.level} />
                </span>
              </div>
              {data.per_step ? (
                <Hazard steps={data.per_step} expected={data.minutes_to_failure} />
              ) : (
                <p className="panel-note">
                  No probability for each minute: the risk is low, or the model does not say when.
                </p>
              )}
              <dl className="pairs">
                <dt>Should it come</dt>
                <dd>
                  {data.minutes_to_failure === null ? "not known when" : `in about ${minutes(data.minutes_to_failure)}`}
                </dd>
                <dt>Looks like</dt>
                <dd>
                  {data.kind && data.kind !== "unknown" ? kind(data.kind) : "not clear yet"}
                  {data.kind_confidence !== null && data.kind && data.kind !== "unknown" && (
                    <span className="quiet"> {chance(data.kind_confidence)} of the evidence</span>
                  )}
                </dd>
                <dt>Warns from</dt>
                <dd>
                  {chance(data.threshold)} <span className="quiet">{data.model}</span>
                </dd>
                {data.confidence && (
                  <>
                    <dt>Confidence</dt>
                    <dd>
                      {data.confidence.text}
                      {data.confidence.distance !== null && (
                        <span className="quiet"> distance from training {number(data.confidence.distance)}</span>
                      )}
                    </dd>
                  </>
                )}
              </dl>
            </div>
          )
        }
      </Answer>
    </Panel>
  );
}

/** Contributions to the score: to the right what speaks for a failure, to the left what speaks against. */
export function Evidence({ items }: { items: EvidenceItem[] }) {
  const top = Math.max(...items.map((item) => Math.abs(item.log_odds)), 0.1);
  return (
    <Panel title="Why" note="What moves the probability most, against what is normal">
      <ul className="evidence">
        {items.map((item) => {
          const share = (Math.abs(item.log_odds) / top) * 50;
          const raises = item.log_odds >= 0;
          return (
            <li key={`${item.metric} ${item.view}`}>
              <div className="evidence-head">
                <span>
                  <b>{words(item.metric)}</b> <span className="quiet">{item.view}</span>
                </span>
                <span className={`evidence-way ${raises ? "is-up" : "is-down"}`}>{raises ? "raises" : "lowers"}</span>
              </div>
              <span className="evidence-bar" aria-hidden="true">
                <span
                  className={raises ? "is-up" : "is-down"}
                  style={{ left: `${raises ? 50 : 50 - share}%`, width: `${share}%` }}
                />
              </span>
              <span className="evidence-values">
                {number(item.value)} <span className="quiet">normal {number(item.normal)}</span>
                {item.deviations !== null && (
                  <span className="quiet">
                    {item.deviations >= 0 ? "+" : "−"}
                    {Math.abs(item.deviations).toFixed(1)} deviations
                  </span>
                )}
              </span>
            </li>
          );
        })}
      </ul>
    </Panel>
  );
}

export function WhatToDo({ recommendation }: { recommendation: Recommendation }) {
  return (
    <Panel title="What may help">
      <p className="advice">{recommendation.text}</p>
      {recommendation.runbook && (
        <a className="runbook" href={recommendation.runbook} target="_blank" rel="noreferrer">
          Runbook <Icon name="link" size={14} />
        </a>
      )}
    </Panel>
  );
}

export function Similar({ items }: { items: Prediction["similar"] }) {
  return (
    <Panel title="Similar warnings before">
      <table className="table">
        <thead>
          <tr>
            <th>When</th>
            <th>What became of it</th>
            <th className="is-number">Lead</th>
          </tr>
        </thead>
        <tbody>
          {items.map((item) => (
            <tr key={item.warning}>
              <td>
                <Moment time={item.time} />
              </td>
              <td>
                <OutcomeBadge outcome={item.outcome} />
              </td>
              <td className="is-number">{minutes(item.lead_minutes)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}
