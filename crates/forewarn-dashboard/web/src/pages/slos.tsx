// Objectives: how much of each error budget is left, and how fast it goes.
import { useResource } from "../api/resource";
import type { Page, Slo } from "../api/types";
import { chance, number, percent, plural, span } from "../lib/format";
import { useParam } from "../lib/router";
import { Icon } from "../ui/icons";
import { Choice, Meter, SearchBox, ServiceLink } from "../ui/parts";
import { Answer, Empty } from "../ui/states";

/** A burn rate of one uses the budget up exactly at the end of the window. */
const FAST = 6;

function tone(slo: Slo): "failing" | "warning" | "ok" {
  if (slo.level === "page" || (slo.budget_left ?? 1) <= 0) return "failing";
  return slo.violated || slo.level === "ticket" || (slo.budget_left ?? 1) < 0.25 ? "warning" : "ok";
}

function word(slo: Slo): string {
  if ((slo.budget_left ?? 1) <= 0) return "Used up";
  if (slo.level === "page") return "Burning very fast";
  if (slo.level === "ticket") return "Burning fast";
  return (slo.budget_left ?? 1) < 0.25 ? "Nearly used up" : "Within budget";
}

function forecast(slo: Slo): string {
  if ((slo.budget_left ?? 1) <= 0) return "No failure can be afforded in this window";
  const { minutes_to_exhaustion: left } = slo.forecast;
  return left === null
    ? "Lasts at the pace of the last hour"
    : `Used up in ${span(left * 60)} at the pace of the last hour`;
}
const ORDER = { failing: 0, warning: 1, ok: 2 };

export function SlosPage() {
  const [show, setShow] = useParam("show", "all");
  const [search, setSearch] = useParam("search");
  const slos = useResource<Slo[] | Page<Slo>>("slos", {
    refreshOn: (event) => event.event === "row",
    atMostEvery: 10_000,
  });
  return (
    <Answer of={slos} rows={5}>
      {(data) => {
        const all = Array.isArray(data) ? data : data.items;
        if (all.length === 0) {
          return (
            <Empty title="No objective is configured">
              An <code>[[slo]]</code> table of the configuration names a service, an objective and its target.
            </Empty>
          );
        }
        const wanted = search.trim().toLowerCase();
        const shown = all
          .filter((slo) => (show === "all" || tone(slo) !== "ok") && slo.service.toLowerCase().includes(wanted))
          .sort((a, b) => ORDER[tone(a)] - ORDER[tone(b)] || (a.budget_left ?? 1) - (b.budget_left ?? 1));
        const bad = all.filter((slo) => tone(slo) !== "ok").length;
        return (
          <div className="slos">
            <p className="headline-text">
              {bad === 0
                ? `${all.length === 1 ? "The objective is" : `All ${all.length} objectives are`} within budget.`
                : `${plural(bad, "objective needs", "objectives need")} a look, of ${all.length}.`}
            </p>
            <div className="toolbar">
              <SearchBox label="Find a service" value={search} onChange={setSearch} />
              <Choice
                label="Which objectives"
                value={show as "all" | "bad"}
                options={[
                  { value: "all", label: "All" },
                  { value: "bad", label: "In need of a look" },
                ]}
                onChange={setShow}
              />
            </div>
            {shown.length === 0 ? (
              <Empty title="None of them" />
            ) : (
              <ul className="slo-list">
                {shown.map((slo) => (
                  <Row key={`${slo.service} ${slo.objective}`} slo={slo} />
                ))}
              </ul>
            )}
          </div>
        );
      }}
    </Answer>
  );
}

/** A burn rate; what hardly burns is not told apart. */
function pace(rate: number | null): string {
  if (rate === null) return "–";
  return rate > 0 && rate < 0.1 ? "<0.1×" : `${number(rate, 2)}×`;
}

function Row({ slo }: { slo: Slo }) {
  const look = tone(slo);
  return (
    <li className={`slo tone-${look}`}>
      <div className="slo-what">
        <ServiceLink name={slo.service} />
        <span className="quiet">
          {slo.objective}, {percent(slo.target)} in {plural(slo.window_days, "day")}
        </span>
      </div>
      <div className="slo-left">
        <span className="slo-state">
          <Icon name={look === "ok" ? "check" : look === "failing" ? "close" : "incidents"} size={14} />
          {word(slo)}
        </span>
        <b>{percent(slo.budget_left)} left</b>
        <Meter share={slo.budget_left} tone={look} label={`${percent(slo.budget_left)} of the error budget is left`} />
      </div>
      <dl className="burns" aria-label="Burn rates">
        {slo.burn_rates.map(({ window_minutes, rate }) => (
          <div key={window_minutes} className={(rate ?? 0) >= FAST ? "is-fast" : ""}>
            <dt>{span(window_minutes * 60)}</dt>
            <dd>{pace(rate)}</dd>
          </div>
        ))}
      </dl>
      <p className="slo-forecast">
        {forecast(slo)}
        {slo.forecast.probability !== null && (
          <span className="quiet"> · {chance(slo.forecast.probability)} risk of a failure now</span>
        )}
      </p>
    </li>
  );
}
