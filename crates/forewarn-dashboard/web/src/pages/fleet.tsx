// All services at one glance, the most urgent first.
import { useMemo } from "react";
import type { Standing } from "../api/types";
import { plural } from "../lib/format";
import { Link, setSearch, useParam } from "../lib/router";
import { STANDING, STANDINGS } from "../lib/text";
import { useLive } from "../live/store";
import { Mark } from "../ui/icons";
import { Choice, SearchBox, Select } from "../ui/parts";
import { Empty, Loading } from "../ui/states";
import { Grid } from "./fleet/grid";
import { Headline } from "./fleet/headline";
import { Horizon } from "./fleet/horizon";
import { type GroupBy, type SortBy, count, filter, group, order, parseStandings } from "./fleet/order";

const SORTS: readonly (readonly [SortBy, string])[] = [
  ["risk", "Risk"],
  ["name", "Name"],
  ["errors", "Error rate"],
  ["latency", "Latency"],
  ["cpu", "CPU"],
  ["memory", "Memory"],
  ["throughput", "Throughput"],
];

const GROUPS: readonly (readonly [GroupBy, string])[] = [
  ["none", "None"],
  ["standing", "Standing"],
  ["prefix", "Name prefix"],
];

export function FleetPage() {
  const services = useLive((live) => live.services);
  const known = useLive((live) => live.status !== null);
  const [search, setSearchText] = useParam("search");
  const [standingText] = useParam("status");
  const [sort, setSort] = useParam("sort", "risk");
  const [grouping, setGrouping] = useParam("group", "none");
  const [view, setView] = useParam("view", "cards");

  const counts = useMemo(() => count(services.values()), [services]);
  const standings = useMemo(() => parseStandings(standingText), [standingText]);
  const groups = useMemo(() => {
    const shown = filter(services.values(), search, standings);
    return group(order(shown, sort as SortBy), grouping as GroupBy);
  }, [services, search, standings, sort, grouping]);
  const shown = groups.reduce((sum, { services }) => sum + services.length, 0);

  const toggle = (standing: Standing) => {
    const next = new Set(standings);
    if (!next.delete(standing)) next.add(standing);
    setSearch({ status: [...next].join(",") || null });
  };

  if (!known) return <Loading rows={6} label="Waiting for the first answer" />;
  return (
    <div className="fleet">
      <Headline counts={counts} total={services.size} />
      <Horizon />
      <section aria-label="Services">
        <div className="toolbar">
          <SearchBox label="Find a service" value={search} onChange={setSearchText} />
          <div className="chips" role="group" aria-label="Show only">
            {STANDINGS.filter((standing) => counts[standing] > 0 || standings.has(standing)).map((standing) => (
              <button
                key={standing}
                type="button"
                className="chip"
                aria-pressed={standings.has(standing)}
                onClick={() => toggle(standing)}
              >
                <Mark standing={standing} size={13} />
                {STANDING[standing]}
                <b>{counts[standing]}</b>
              </button>
            ))}
          </div>
          <div className="toolbar-end">
            <Select label="Order" value={sort as SortBy} options={SORTS} onChange={setSort} />
            <Select label="Group" value={grouping as GroupBy} options={GROUPS} onChange={setGrouping} />
            <Choice
              label="View"
              onlyIcons
              value={view as "cards" | "table"}
              options={[
                { value: "cards", label: "Cards", icon: "fleet" },
                { value: "table", label: "Table", icon: "table" },
              ]}
              onChange={setView}
            />
          </div>
        </div>
        <p className="hidden" role="status">
          {plural(shown, "service")} of {services.size} shown
        </p>
        {services.size === 0 ? (
          <Empty title="No service yet">
            Services appear with their first metrics. <Link to="/status">Status</Link> shows what the sources say.
          </Empty>
        ) : shown === 0 ? (
          <Empty title="No service fits">
            None of {plural(services.size, "service")} matches the search and the filter.{" "}
            <button type="button" className="link-button" onClick={() => setSearch({ search: null, status: null })}>
              Show all
            </button>
          </Empty>
        ) : (
          <Grid groups={groups} view={view === "table" ? "table" : "cards"} />
        )}
      </section>
    </div>
  );
}
