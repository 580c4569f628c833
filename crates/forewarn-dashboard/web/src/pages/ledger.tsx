// What became of every warning and every failure: whether the predictions can be trusted.
import { useState } from "react";
import { get, query } from "../api/client";
import { useResource } from "../api/resource";
import type { Interval, Ledger, ModelLedger, OutcomeKind, OutcomeView } from "../api/types";
import { chance, minutes, number, plural } from "../lib/format";
import { useParam } from "../lib/router";
import { OUTCOME } from "../lib/text";
import { useLive } from "../live/store";
import { attempt } from "../ui/dialog";
import { Figure, Meter, Moment, OutcomeBadge, Panel, Select, ServiceLink } from "../ui/parts";
import { Answer, Empty } from "../ui/states";
import { Calibration, Days, Leads } from "./ledger/drawings";

export function LedgerPage() {
  const [service, setService] = useParam("service");
  const [model, setModel] = useParam("model");
  const [span, setSpan] = useParam("span", "30");
  const services = useLive((live) => live.services);
  const [opened] = useState(() => Date.now());
  const from = span === "all" ? null : new Date(opened - Number(span) * 86_400_000).toISOString();
  const ledger = useResource<Ledger>(`ledger${query({ service, model, from, limit: 100 })}`, {
    refreshOn: (event) => event.event === "outcome",
    keepPrevious: true,
  });
  const names = [...services.keys()].sort();
  return (
    <div className="ledger">
      <div className="toolbar">
        <Select
          label="Service"
          value={service}
          options={[["", "All"], ...names.map((name) => [name, name] as const)]}
          onChange={setService}
        />
        <Select
          label="Span"
          value={span}
          options={[
            ["1", "1 day"],
            ["7", "7 days"],
            ["30", "30 days"],
            ["all", "All"],
          ]}
          onChange={setSpan}
        />
        {(ledger.data?.models.length ?? 0) > 1 && (
          <Select
            label="Model"
            value={model}
            options={[["", "All"], ...(ledger.data?.models ?? []).map(({ name }) => [name, name] as const)]}
            onChange={setModel}
          />
        )}
      </div>
      <Answer of={ledger} rows={8}>
        {(data) => <Body ledger={data} search={query({ service, model, from, limit: 100 })} />}
      </Answer>
    </div>
  );
}

function total(model: ModelLedger): number {
  return model.hits + model.late + model.false + model.missed + model.averted + model.censored;
}

function Body({ ledger, search }: { ledger: Ledger; search: string }) {
  const main = ledger.models.find((model) => !model.shadow) ?? ledger.models[0];
  if (!main || ledger.models.every((model) => total(model) === 0)) {
    return (
      <Empty title="Nothing has been judged yet">
        A warning is judged when its prediction period is over, a failure when the failure rule confirms it.
      </Empty>
    );
  }
  const failures = main.detected + main.missed;
  const { realised_per_service_week: realised, budget_per_service_week: budget } = main;
  return (
    <>
      <p className="headline-text">
        {main.detected} of {plural(failures, "failure")} detected
        {main.median_lead_minutes === null ? "" : `, a median ${minutes(main.median_lead_minutes)} ahead`}
        {realised === null ? "." : `, at ${number(realised, 2)} false alarms per service and week.`}
      </p>
      <dl className="figures">
        <Figure label="Precision" value={chance(main.precision?.value)} note={interval(main.precision)} />
        <Figure label="Recall" value={chance(main.recall?.value)} note={interval(main.recall)} />
        <Figure label="Median lead" value={minutes(main.median_lead_minutes)} note="from warning to onset" />
        <Figure
          label="False alarms per service and week"
          value={number(realised, 2)}
          tone={realised !== null && realised > budget ? "warning" : undefined}
          note={
            <>
              <Meter
                share={realised === null || budget === 0 ? null : realised / (2 * budget)}
                mark={0.5}
                tone={realised !== null && realised > budget ? "warning" : "ok"}
                label={`${number(realised, 2)} so far, ${number(budget)} accepted`}
              />
              of {number(budget)} accepted
            </>
          }
        />
      </dl>
      <div className="ledger-columns">
        <Panel title="By day" className="is-wide">
          <Days days={ledger.by_day} />
        </Panel>
        <Panel title="Calibration" note="Of warnings at a probability, how many came true">
          <Calibration points={main.calibration} />
        </Panel>
        <Panel title="Lead times" note="Of the latest hits">
          <Leads entries={ledger.entries.items} />
        </Panel>
      </div>
      <Panel title="Models" note="A shadow model is judged on the same rows; its warnings are not sent">
        <Models models={ledger.models} />
      </Panel>
      <Panel title="Entries">
        <Entries first={ledger.entries} search={search} />
      </Panel>
    </>
  );
}

function interval(value: Interval | null): string {
  return value && value.low !== null && value.high !== null
    ? `95 % interval ${chance(value.low)} to ${chance(value.high)}`
    : "too few for an interval";
}

const COLUMNS: [OutcomeKind, keyof ModelLedger][] = [
  ["hit", "hits"],
  ["late", "late"],
  ["false", "false"],
  ["averted", "averted"],
  ["censored", "censored"],
  ["detected", "detected"],
  ["missed", "missed"],
];

function Models({ models }: { models: ModelLedger[] }) {
  return (
    <div className="table-scroll" tabIndex={0} role="region" aria-label="Table of models">
      <table className="table">
        <thead>
          <tr>
            <th>Model</th>
            {COLUMNS.map(([outcome]) => (
              <th key={outcome} className="is-number">
                {OUTCOME[outcome]}
              </th>
            ))}
            <th className="is-number">Precision</th>
            <th className="is-number">Recall</th>
            <th className="is-number">Lead</th>
            <th className="is-number">False alarms a week</th>
          </tr>
        </thead>
        <tbody>
          {models.map((model) => (
            <tr key={model.name}>
              <td>
                <b>{model.name}</b> <span className="quiet">{model.shadow ? "shadow" : "main"}</span>
              </td>
              {COLUMNS.map(([outcome, key]) => (
                <td key={outcome} className="is-number">
                  {number(model[key] as number)}
                </td>
              ))}
              <td className="is-number">{chance(model.precision?.value)}</td>
              <td className="is-number">{chance(model.recall?.value)}</td>
              <td className="is-number">{minutes(model.median_lead_minutes)}</td>
              <td className="is-number">{number(model.realised_per_service_week, 2)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Entries that are shown before a reader asks for more. */
const SHOWN = 25;

/** The entries, newest first; earlier ones are asked of the server once those that are here are all shown. */
function Entries({ first, search }: { first: Ledger["entries"]; search: string }) {
  const [more, setMore] = useState<{ of: string; items: OutcomeView[]; next: string | null; shown: number }>();
  const [busy, setBusy] = useState(false);
  const state = more?.of === search ? more : { of: search, items: [], next: first.next_cursor ?? null, shown: SHOWN };
  const items = [...first.items, ...state.items];
  const grow = async () => {
    const shown = state.shown + 4 * SHOWN;
    if (shown <= items.length || state.next === null) return setMore({ ...state, shown });
    setBusy(true);
    const path = `ledger${search}${search ? "&" : "?"}cursor=${encodeURIComponent(state.next)}`;
    await attempt(async () => {
      const { entries } = await get<Ledger>(path);
      setMore({ ...state, items: [...state.items, ...entries.items], next: entries.next_cursor ?? null, shown });
    });
    setBusy(false);
  };
  if (items.length === 0) return <Empty title="No entry in this span" />;
  return (
    <div className="table-scroll" tabIndex={0} role="region" aria-label="Entries of the ledger">
      <table className="table">
        <thead>
          <tr>
            <th>Judged</th>
            <th>Service</th>
            <th>Outcome</th>
            <th>Failure began</th>
            <th className="is-number">Lead</th>
            <th>Model</th>
          </tr>
        </thead>
        <tbody>
          <EntryRows items={items.slice(0, state.shown)} />
        </tbody>
      </table>
      {(state.shown < items.length || state.next !== null) && (
        <button type="button" className="button" disabled={busy} onClick={() => void grow()}>
          Earlier entries
        </button>
      )}
    </div>
  );
}

function EntryRows({ items }: { items: OutcomeView[] }) {
  return (
    <>
      {items.map((entry, index) => (
        <tr key={`${entry.time} ${entry.service} ${entry.model} ${entry.warning ?? index}`}>
          <td>
            <Moment time={entry.time} />
          </td>
          <td>
            <ServiceLink name={entry.service} />
          </td>
          <td>
            <OutcomeBadge outcome={entry.outcome} />
          </td>
          <td>
            <Moment time={entry.onset} />
          </td>
          <td className="is-number">{minutes(entry.lead_minutes)}</td>
          <td>
            {entry.model} {entry.shadow && <span className="quiet">shadow</span>}
          </td>
        </tr>
      ))}
    </>
  );
}
