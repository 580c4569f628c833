// Drawings of the ledger, in SVG.
import type { LedgerDay, ModelLedger, OutcomeKind, OutcomeView } from "../../api/types";
import { chance, percent } from "../../lib/format";
import { OUTCOME } from "../../lib/text";
import { Empty } from "../../ui/states";
import { OutcomeMark } from "../../ui/icons";

const STACK: [OutcomeKind, keyof LedgerDay][] = [
  ["hit", "hits"],
  ["averted", "averted"],
  ["late", "late"],
  ["false", "false"],
  ["missed", "missed"],
  ["censored", "censored"],
];

/** Outcomes of each day, stacked. */
export function Days({ days }: { days: LedgerDay[] }) {
  if (days.length === 0) return <Empty title="No day in this span" />;
  const [width, height, foot] = [720, 270, 20];
  const sums = days.map((day) => STACK.reduce((sum, [, key]) => sum + Number(day[key]), 0));
  const top = Math.max(...sums, 1);
  const slot = width / Math.max(days.length, 8);
  const every = Math.ceil(days.length / 10);
  const label = days
    .map((day) => `${day.day}: ${STACK.map(([outcome, key]) => `${Number(day[key])} ${OUTCOME[outcome]}`).join(", ")}`)
    .join("; ");
  return (
    <>
      <svg className="days" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={`Outcomes by day. ${label}`}>
        <defs>
          <pattern id="hatch-missed" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
            <rect width="6" height="6" className="hatch-ground" />
            <rect width="2.5" height="6" className="hatch-line" />
          </pattern>
        </defs>
        {[0.5, 1].map((share) => (
          <g key={share}>
            <path className="grid-line" d={`M0 ${line(share)}H${width}`} />
            <text className="grid-text" x="0" y={line(share) - 4}>
              {Math.round(top * share * 10) / 10}
            </text>
          </g>
        ))}
        {days.map((day, index) => {
          let y = height - foot;
          const x = index * slot + slot * 0.15;
          return (
            <g key={day.day}>
              {STACK.map(([outcome, key]) => {
                const tall = (Number(day[key]) / top) * (height - foot - 16);
                if (tall === 0) return null;
                y -= tall;
                return (
                  <rect
                    key={outcome}
                    className={`stack is-${outcome}`}
                    x={x}
                    y={y + 0.75}
                    width={Math.min(slot * 0.7, 44)}
                    height={Math.max(tall - 1.5, 0.8)}
                    rx="1.5"
                  />
                );
              })}
              {index % every === 0 && (
                <text className="grid-text" x={x} y={height - 5}>
                  {shortDay(day.day)}
                </text>
              )}
            </g>
          );
        })}
        <path className="grid-line is-base" d={`M0 ${height - foot}H${width}`} />
      </svg>
      <ul className="legend">
        {STACK.map(([outcome]) => (
          <li key={outcome}>
            <span className={`key key-outcome is-${outcome}`} />
            <OutcomeMark outcome={outcome} /> {OUTCOME[outcome]}
          </li>
        ))}
      </ul>
    </>
  );

  function line(share: number): number {
    return height - foot - share * (height - foot - 16);
  }
}

function shortDay(day: string): string {
  const at = Date.parse(day.length === 10 ? `${day}T00:00:00Z` : day);
  if (Number.isNaN(at)) return day;
  return new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" }).format(at);
}

/** Predicted against observed; on the diagonal the probabilities are right. */
export function Calibration({ points }: { points: ModelLedger["calibration"] }) {
  const known = points.filter((point) => point.count > 0);
  if (known.length === 0) return <Empty title="Too few rows judged" />;
  const [size, pad] = [220, 30];
  const reach = Math.ceil(Math.max(0.2, ...known.map((point) => Math.max(point.predicted, point.observed))) * 10) / 10;
  const x = (value: number) => pad + (value / reach) * (size - pad - 8);
  const y = (value: number) => size - pad - (value / reach) * (size - pad - 8);
  const most = Math.max(...known.map((point) => point.count));
  const label = known
    .map((point) => `predicted ${chance(point.predicted)}, observed ${chance(point.observed)}, ${point.count} rows`)
    .join("; ");
  return (
    <svg className="calibration" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={`Calibration. ${label}`}>
      <path className="grid-line" d={`M${x(0)} ${y(0)}H${x(reach)}M${x(0)} ${y(0)}V${y(reach)}`} />
      <path className="diagonal" d={`M${x(0)} ${y(0)}L${x(reach)} ${y(reach)}`} />
      <path
        className="calibration-line"
        d={known.map((point, index) => `${index ? "L" : "M"}${x(point.predicted)} ${y(point.observed)}`).join("")}
      />
      {known.map((point) => (
        <circle
          key={point.predicted}
          className="calibration-point"
          cx={x(point.predicted)}
          cy={y(point.observed)}
          r={2.5 + 4 * Math.sqrt(point.count / most)}
        />
      ))}
      {[0, reach / 2, reach].map((value) => (
        <g key={value} className="grid-text">
          <text x={x(value)} y={size - pad + 14} textAnchor="middle">
            {percent(value)}
          </text>
          {value > 0 && (
            <text x={pad - 5} y={y(value) + 4} textAnchor="end">
              {percent(value)}
            </text>
          )}
        </g>
      ))}
      <text className="grid-text" x={size - 8} y={size - 2} textAnchor="end">
        predicted
      </text>
      <text className="grid-text" x={pad + 5} y="10">
        observed
      </text>
    </svg>
  );
}

/** How many minutes ahead the hits came. */
export function Leads({ entries }: { entries: OutcomeView[] }) {
  const leads = entries.flatMap((entry) =>
    entry.outcome === "hit" && !entry.shadow && entry.lead_minutes !== null ? [entry.lead_minutes] : [],
  );
  if (leads.length === 0) return <Empty title="No hit in this span" />;
  const last = Math.min(12, Math.max(5, ...leads.map(Math.ceil)));
  const counts = Array.from(
    { length: last },
    (_, index) => leads.filter((lead) => Math.min(last, Math.max(1, Math.round(lead))) === index + 1).length,
  );
  const top = Math.max(...counts, 1);
  const [width, height, foot] = [240, 200, 34];
  const slot = width / last;
  const label = counts.map((count, index) => `${index + 1} minutes: ${count}`).join(", ");
  return (
    <svg className="leads" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={`Hits by lead time. ${label}`}>
      {counts.map((count, index) => {
        const tall = (count / top) * (height - foot - 18);
        const middle = index * slot + slot / 2;
        return (
          <g key={index}>
            <rect
              className="stack is-hit"
              x={index * slot + slot * 0.14}
              y={height - foot - tall}
              width={slot * 0.72}
              height={Math.max(tall, 1)}
              rx="2"
            />
            {count > 0 && (
              <text className="grid-text is-strong" x={middle} y={height - foot - tall - 5} textAnchor="middle">
                {count}
              </text>
            )}
            <text className="grid-text" x={middle} y={height - foot + 14} textAnchor="middle">
              {index + 1}
            </text>
          </g>
        );
      })}
      <path className="grid-line is-base" d={`M0 ${height - foot}H${width}`} />
      <text className="grid-text" x={width / 2} y={height - 4} textAnchor="middle">
        minutes ahead
      </text>
    </svg>
  );
}
