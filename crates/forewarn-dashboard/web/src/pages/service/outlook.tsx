// What the model expects, how sure it is, and why.
import type { Resource } from "../../api/resource";
import type { EvidenceItem, Prediction, Recommendation, ServiceSummary } from "../../api/types";
import { chance, minutes, number } from "../../lib/format";
import { kind, reason } from "../../lib/text";
import { useLive } from "../../live/store";
import { LevelBadge, Moment, OutcomeBadge, Panel } from "../../ui/parts";
import { Hazard } from "../../ui/spark";
import { Answer, Empty } from "../../ui/states";
import { EvidenceList } from "../../ui/warnings";
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

export function Evidence({ items }: { items: EvidenceItem[] }) {
  return (
    <Panel title="Why" note="What moves the probability most, against what is normal">
      <EvidenceList items={items} />
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
