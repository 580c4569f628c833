// Line icons of 20 units, drawn in the text's colour. All are decoration: the words are beside them.
import type { ReactNode } from "react";
import type { Level, OutcomeKind, Standing } from "../api/types";

const PATHS = {
  fleet: <path d="M3 3h6v6H3zM11 3h6v6h-6zM3 11h6v6H3zM11 11h6v6h-6z" />,
  topology: (
    <>
      <circle cx="4.5" cy="10" r="2" />
      <circle cx="15.5" cy="4.5" r="2" />
      <circle cx="15.5" cy="15.5" r="2" />
      <path d="m6.4 9 7.2-3.6M6.4 11l7.2 3.6" />
    </>
  ),
  incidents: <path d="M11.5 2.5 4 11.5h5.5l-1 6L16 8.5h-5.5z" />,
  ledger: <path d="M4 3h12v14H4zM7 7h6M7 10h6M7 13h3.5" />,
  slos: (
    <>
      <circle cx="10" cy="10" r="7" />
      <circle cx="10" cy="10" r="3.2" />
      <path d="M10 10h0" />
    </>
  ),
  events: <path d="M3 5h1M3 10h1M3 15h1M7 5h10M7 10h10M7 15h10" />,
  chaos: <path d="M8 2.5h4M8.5 2.5v5L4 15.2c-.6 1 .1 2.3 1.3 2.3h9.4c1.2 0 1.9-1.3 1.3-2.3l-4.5-7.7v-5M6.2 12.5h7.6" />,
  models: <path d="m10 2.5 6.5 3.7v7.6L10 17.5l-6.5-3.7V6.2zM3.5 6.2 10 10l6.5-3.8M10 10v7.5" />,
  status: <path d="M2.5 10.5H6l2.2-6 3.6 11 2.3-5h3.4" />,
  more: (
    <>
      <circle cx="4.5" cy="10" r=".8" />
      <circle cx="10" cy="10" r=".8" />
      <circle cx="15.5" cy="10" r=".8" />
    </>
  ),
  search: (
    <>
      <circle cx="9" cy="9" r="5.5" />
      <path d="m13.2 13.2 4 4" />
    </>
  ),
  sun: (
    <>
      <circle cx="10" cy="10" r="3.4" />
      <path d="M10 2v2M10 16v2M2 10h2M16 10h2M4.3 4.3l1.5 1.5M14.2 14.2l1.5 1.5M4.3 15.7l1.5-1.5M14.2 5.8l1.5-1.5" />
    </>
  ),
  moon: <path d="M16.5 12A7 7 0 0 1 8 3.5a7 7 0 1 0 8.5 8.5z" />,
  system: <path d="M3 4h14v9H3zM7.5 16.5h5" />,
  close: <path d="m5 5 10 10M15 5 5 15" />,
  check: <path d="m4 10.5 4 4 8-9" />,
  hand: (
    <path d="M6.5 10V5.2a1.2 1.2 0 0 1 2.4 0V9V3.9a1.2 1.2 0 0 1 2.4 0V9V5.2a1.2 1.2 0 0 1 2.4 0v6.3c0 3.3-1.6 5.5-4.4
      5.5-2.4 0-3.3-1.2-4.6-3.4L3.5 11c.8-1 2-.8 2.6 0z" />
  ),
  mute: <path d="M5 8a5 5 0 0 1 8.6-3.4M15 8c0 4 1.5 5 1.5 5H7M3.5 13S5 12 5 8M8.5 16a1.7 1.7 0 0 0 3 0M3 3l14 14" />,
  arrow: <path d="M4 10h12M11 5l5 5-5 5" />,
  back: <path d="M16 10H4M9 5l-5 5 5 5" />,
  stop: <path d="M5 5h10v10H5z" />,
  plus: <path d="M10 4v12M4 10h12" />,
  minus: <path d="M4 10h12" />,
  fit: <path d="M3 7V3h4M13 3h4v4M17 13v4h-4M7 17H3v-4" />,
  table: <path d="M3 4h14v12H3zM3 8h14M3 12h14M8 4v12" />,
  link: <path d="M8 5H4v11h11v-4M11 3h6v6M17 3l-8 8" />,
  lock: <path d="M5 9h10v8H5zM7 9V6.5a3 3 0 0 1 6 0V9" />,
} satisfies Record<string, ReactNode>;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return (
    <svg className="icon" viewBox="0 0 20 20" width={size} height={size} aria-hidden="true" focusable="false">
      {PATHS[name]}
    </svg>
  );
}

/** A shape for each standing, so that colour is never alone. */
const MARKS: Record<Standing, ReactNode> = {
  ok: (
    <>
      <circle cx="8" cy="8" r="6.5" className="mark-fill" />
      <path d="m5 8.3 2.1 2.1L11 6" className="mark-ink" />
    </>
  ),
  at_risk: (
    <>
      <path d="M8 1.5 14.5 8 8 14.5 1.5 8z" className="mark-fill" />
      <path d="M8 5v3.4M8 10.8v.1" className="mark-ink" />
    </>
  ),
  warning: (
    <>
      <path d="M8 1.6 15 14H1z" className="mark-fill" />
      <path d="M8 6v3.6M8 11.7v.1" className="mark-ink" />
    </>
  ),
  failing: (
    <>
      <path d="M5.3 1.5h5.4l3.8 3.8v5.4l-3.8 3.8H5.3l-3.8-3.8V5.3z" className="mark-fill" />
      <path d="m5.7 5.7 4.6 4.6M10.3 5.7l-4.6 4.6" className="mark-ink" />
    </>
  ),
  unknown: (
    <>
      <circle cx="8" cy="8" r="6" className="mark-line" />
      <path d="M6.3 6.4a1.8 1.8 0 1 1 2.5 1.7c-.5.2-.8.5-.8 1M8 11.2v.1" className="mark-sign" />
    </>
  ),
};

export function Mark({ standing, size = 16 }: { standing: Standing; size?: number }) {
  return (
    <svg className={`mark is-${standing}`} viewBox="0 0 16 16" width={size} height={size} aria-hidden="true">
      {MARKS[standing]}
    </svg>
  );
}

/** Four steps of risk, filled up to the level. */
const STEPS: Level[] = ["low", "medium", "high", "critical"];

export function LevelSteps({ level }: { level: Level | null }) {
  const filled = level ? STEPS.indexOf(level) + 1 : 0;
  return (
    <svg className={`steps is-${level ?? "unknown"}`} viewBox="0 0 22 12" width="22" height="12" aria-hidden="true">
      {STEPS.map((step, index) => (
        <rect
          key={step}
          x={index * 6}
          y={9 - index * 3}
          width="4"
          height={3 + index * 3}
          rx="1"
          className={index < filled ? "on" : "off"}
        />
      ))}
    </svg>
  );
}

const OUTCOMES: Record<OutcomeKind, ReactNode> = {
  hit: <path d="m3 8.5 3.2 3.2L13 4.5" />,
  late: <path d="M8 2.5a5.5 5.5 0 1 0 .1 0M8 5v3.3l2 1.5" />,
  false: <path d="m4 4 8 8M12 4l-8 8" />,
  missed: <path d="M8 2.5a5.5 5.5 0 1 0 .1 0M4 12 12 4" />,
  averted: <path d="M8 2 3 4v4c0 3 2 5 5 6 3-1 5-3 5-6V4z" />,
  censored: <path d="M3 8h2M7 8h2M11 8h2" />,
  detected: <path d="m3 8.5 3.2 3.2L13 4.5" />,
};

export function OutcomeMark({ outcome }: { outcome: OutcomeKind }) {
  return (
    <svg className={`outcome-mark is-${outcome}`} viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
      {OUTCOMES[outcome]}
    </svg>
  );
}
