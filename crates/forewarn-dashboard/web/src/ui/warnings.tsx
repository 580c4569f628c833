// Warnings as a list, each with what speaks for it: those that are over too.
import type { EvidenceItem, WarningView } from "../api/types";
import { chance, minutes, number, words } from "../lib/format";
import { kind } from "../lib/text";
import { LevelBadge, Moment, OutcomeBadge, ServiceLink } from "./parts";

/** Contributions to the score: to the right what speaks for a failure, to the left what speaks against. */
export function EvidenceList({ items }: { items: EvidenceItem[] }) {
  const top = Math.max(...items.map((item) => Math.abs(item.log_odds)), 0.1);
  return (
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
  );
}

export function Warnings({ items, named = false }: { items: readonly WarningView[]; named?: boolean }) {
  return (
    <ul className="warnings">
      {items.map((warning) => (
        <li key={warning.id} data-warning={warning.id}>
          {named && <ServiceLink name={warning.service} />}
          <details>
            <summary>
              <Moment time={warning.since} />
              <span>{kind(warning.kind)}</span>
              <LevelBadge level={warning.level} />
              <span>{chance(warning.probability)}</span>
              {warning.state === "firing" ? <b>Firing</b> : <OutcomeBadge outcome={warning.outcome} />}
              {warning.lead_minutes !== null && <span className="quiet">{minutes(warning.lead_minutes)} ahead</span>}
            </summary>
            {warning.evidence.length > 0 ? (
              <EvidenceList items={warning.evidence} />
            ) : (
              <p className="panel-note">The model does not say what moved the probability.</p>
            )}
            <p className="advice">{warning.recommendation.text}</p>
          </details>
        </li>
      ))}
    </ul>
  );
}
