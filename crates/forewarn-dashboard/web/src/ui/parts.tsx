// Small parts that every page uses.
import { type ReactNode, useId } from "react";
import type { Level, OutcomeKind, Standing } from "../api/types";
import { useNow } from "../lib/clock";
import { UNKNOWN } from "../lib/format";
import { Link, servicePath } from "../lib/router";
import { useSettings } from "../lib/settings";
import { LEVEL, OUTCOME, OUTCOME_MEANING, STANDING } from "../lib/text";
import { compact, full, parse, relative } from "../lib/time";
import { Icon, type IconName, LevelSteps, Mark, OutcomeMark } from "./icons";

export function StandingBadge({ standing }: { standing: Standing }) {
  return (
    <span className={`badge is-${standing}`}>
      <Mark standing={standing} size={14} />
      {STANDING[standing]}
    </span>
  );
}

export function LevelBadge({ level }: { level: Level | null }) {
  return (
    <span className="level">
      <LevelSteps level={level} />
      {level ? LEVEL[level] : "Not known"}
    </span>
  );
}

export function OutcomeBadge({ outcome }: { outcome: OutcomeKind | null | undefined }) {
  if (!outcome) return <span className="quiet">Not judged yet</span>;
  return (
    <span className={`outcome is-${outcome}`} title={OUTCOME_MEANING[outcome]}>
      <OutcomeMark outcome={outcome} />
      {OUTCOME[outcome]}
    </span>
  );
}

export function ServiceLink({ name }: { name: string }) {
  return (
    <Link className="service-link" to={servicePath(name)}>
      {name}
    </Link>
  );
}

/** A moment: short, with the whole of it on hovering. */
export function Moment({
  time,
  style = "compact",
}: {
  time: string | null | undefined;
  style?: "compact" | "ago" | "both";
}) {
  const now = useNow();
  const { zone } = useSettings();
  const at = parse(time);
  if (at === null) return <span className="quiet">{UNKNOWN}</span>;
  const text =
    style === "compact"
      ? compact(at, now, zone)
      : style === "ago"
        ? relative(at, now)
        : `${compact(at, now, zone)} · ${relative(at, now)}`;
  return (
    <time dateTime={time ?? undefined} title={full(at, zone)}>
      {text}
    </time>
  );
}

export function Panel({
  title,
  note,
  actions,
  children,
  className = "",
}: {
  title?: ReactNode;
  note?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  className?: string;
}) {
  const id = useId();
  return (
    <section className={`panel ${className}`} aria-labelledby={title ? id : undefined}>
      {(title || actions) && (
        <header className="panel-head">
          <div className="panel-titles">
            {title && <h2 id={id}>{title}</h2>}
            {note && <p className="panel-note">{note}</p>}
          </div>
          {actions && <div className="panel-actions">{actions}</div>}
        </header>
      )}
      {children}
    </section>
  );
}

/** A figure with its name above and what it is compared with below. */
export function Figure({
  label,
  value,
  note,
  tone,
}: {
  label: string;
  value: ReactNode;
  note?: ReactNode;
  tone?: string;
}) {
  return (
    <div className={`figure ${tone ? `tone-${tone}` : ""}`}>
      <dt>{label}</dt>
      <dd>
        <span className="figure-value">{value}</span>
        {note && <span className="figure-note">{note}</span>}
      </dd>
    </div>
  );
}

/** One of a few choices, as buttons in a row. */
export function Choice<T extends string>({
  label,
  value,
  options,
  onChange,
  onlyIcons = false,
}: {
  label: string;
  value: T;
  options: readonly { value: T; label: string; icon?: IconName }[];
  onChange: (value: T) => void;
  onlyIcons?: boolean;
}) {
  return (
    <div className={`choice ${onlyIcons ? "is-icons" : ""}`} role="group" aria-label={label}>
      {options.map((option) => (
        <button
          key={option.value}
          type="button"
          aria-pressed={option.value === value}
          title={onlyIcons ? option.label : undefined}
          onClick={() => onChange(option.value)}
        >
          {option.icon && <Icon name={option.icon} size={15} />}
          <span className={onlyIcons ? "hidden" : ""}>{option.label}</span>
        </button>
      ))}
    </div>
  );
}

export function Select<T extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: T;
  options: readonly (readonly [T, string])[];
  onChange: (value: T) => void;
}) {
  return (
    <label className="select">
      <span>{label}</span>
      <select value={value} onChange={(event) => onChange(event.target.value as T)}>
        {options.map(([key, text]) => (
          <option key={key} value={key}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

export function SearchBox({
  label,
  value,
  onChange,
}: {
  label: string;
  value: string;
  onChange: (value: string) => void;
}) {
  return (
    <label className="search">
      <Icon name="search" size={16} />
      <span className="hidden">{label}</span>
      <input
        type="search"
        data-search=""
        placeholder={label}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        autoComplete="off"
        spellCheck={false}
      />
    </label>
  );
}

/** A bar of a share, with words for those who do not see it. */
export function Meter({
  share,
  mark,
  label,
  tone = "plain",
}: {
  share: number | null;
  mark?: number | null;
  label: string;
  tone?: string;
}) {
  const width = share === null ? 0 : Math.min(1, Math.max(0, share));
  return (
    <span className={`meter tone-${tone} ${share === null ? "is-unknown" : ""}`} role="img" aria-label={label}>
      <span className="meter-fill" style={{ width: `${width * 100}%` }} />
      {mark !== null && mark !== undefined && (
        <span className="meter-mark" style={{ left: `${Math.min(1, Math.max(0, mark)) * 100}%` }} />
      )}
    </span>
  );
}
