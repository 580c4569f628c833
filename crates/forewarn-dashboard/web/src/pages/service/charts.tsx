// Probability and metrics over time, with warnings, failures and the limits of the failure rule.
import { useCallback, useMemo } from "react";
import { query } from "../../api/client";
import { useResource } from "../../api/resource";
import type { History, Limit } from "../../api/types";
import { chance, metric, words } from "../../lib/format";
import { setSearch, useParam } from "../../lib/router";
import { parse } from "../../lib/time";
import { useLive } from "../../live/store";
import { type Band, Chart, type Line } from "../../ui/chart";
import { Choice } from "../../ui/parts";
import { Answer, Empty } from "../../ui/states";
import { bandsOf, rangeSeconds, resolution } from "./spans";

const RANGES = [
  { value: "1h", label: "1 h" },
  { value: "3h", label: "3 h" },
  { value: "12h", label: "12 h" },
  { value: "24h", label: "24 h" },
  { value: "7d", label: "7 d" },
] as const;

type Range = (typeof RANGES)[number]["value"];

export function Charts({ name, limits }: { name: string; limits: Record<string, Limit> }) {
  const [range, setRange] = useParam("range", "3h");
  const [from] = useParam("from");
  const [to] = useParam("to");
  const next = useLive((live) => live.status?.next_minute ?? null);
  const step = useLive((live) => live.status?.step_seconds ?? 60);
  const units = useLive((live) => live.status?.metrics);
  // By the minute: a new second is no new question.
  const minute = next ?? new Date(Math.floor(Date.now() / 60_000) * 60_000).toISOString();
  const isZoomed = from !== "" && to !== "";
  const end = parse(minute) ?? Date.now();
  const path = `history/${encodeURIComponent(name)}${query({
    from: isZoomed ? from : new Date(end - rangeSeconds(range) * 1000).toISOString(),
    to: isZoomed ? to : new Date(end).toISOString(),
    resolution: resolution(isZoomed ? (parse(to) ?? end) - (parse(from) ?? end) : rangeSeconds(range) * 1000, step),
  })}`;
  const history = useResource<History>(path, { keepPrevious: true });
  const zoom = useCallback((start: number, stop: number) => {
    setSearch({ from: new Date(start * 1000).toISOString(), to: new Date(stop * 1000).toISOString() });
  }, []);
  return (
    <div className="charts">
      <div className="charts-bar">
        <Choice
          label="Span"
          value={(isZoomed ? "" : range) as Range}
          options={RANGES}
          onChange={(value) => {
            setSearch({ from: null, to: null });
            setRange(value);
          }}
        />
        {isZoomed ? (
          <button type="button" className="link-button" onClick={() => setSearch({ from: null, to: null })}>
            Back to now
          </button>
        ) : (
          <span className="quiet charts-hint">Drag over a chart to look closer</span>
        )}
        <Legend />
      </div>
      <Answer of={history} rows={6}>
        {(data) =>
          data.times.length === 0 ? (
            <Empty title="Nothing in this span">The service may have appeared later, or the store keeps less.</Empty>
          ) : (
            <Drawn data={data} limits={limits} units={units ?? []} zoom={zoom} />
          )
        }
      </Answer>
    </div>
  );
}

function Legend() {
  return (
    <ul className="legend" aria-label="Legend">
      <li>
        <span className="key key-foresee" /> probability
      </li>
      <li>
        <span className="key key-threshold" /> threshold
      </li>
      <li>
        <span className="key key-warning" /> warning
      </li>
      <li>
        <span className="key key-failure" /> failure
      </li>
      <li>
        <span className="key key-limit" /> failure rule
      </li>
    </ul>
  );
}

function Drawn({
  data,
  limits,
  units,
  zoom,
}: {
  data: History;
  limits: Record<string, Limit>;
  units: { name: string; unit: string | null }[];
  zoom: (from: number, to: number) => void;
}) {
  const times = useMemo(() => data.times.map((time) => (parse(time) ?? 0) / 1000), [data.times]);
  const bands = useMemo(() => bandsOf(data, times), [data, times]);
  const risk = useMemo<Line[]>(
    () => [
      { label: "Probability of a failure", values: data.probability, colour: "--foresee", fill: true, width: 2 },
      { label: "Threshold", values: data.threshold, colour: "--ink-3", dashed: true, stepped: true, width: 1.2 },
    ],
    [data],
  );
  const names = Object.keys(data.metrics);
  return (
    <>
      <Chart
        label="Probability of a failure"
        times={times}
        lines={risk}
        bands={bands}
        format={chance}
        height={190}
        group="service"
        atLeast={0.1}
        atMost={1}
        onZoom={zoom}
      />
      <div className="charts-small">
        {names.map((name) => (
          <Metric
            key={name}
            name={name}
            unit={units.find((unit) => unit.name === name)?.unit ?? guess(name)}
            times={times}
            values={data.metrics[name] ?? []}
            bands={bands}
            limit={limits[name]}
            zoom={zoom}
          />
        ))}
      </div>
    </>
  );
}

function Metric({
  name,
  unit,
  times,
  values,
  bands,
  limit,
  zoom,
}: {
  name: string;
  unit: string | null;
  times: number[];
  values: (number | null)[];
  bands: Band[];
  limit: Limit | undefined;
  zoom: (from: number, to: number) => void;
}) {
  const lines = useMemo<Line[]>(() => [{ label: words(name), values, colour: "--series", fill: true }], [name, values]);
  const format = useCallback((value: number | null) => metric(value, unit), [unit]);
  const value = limit?.above ?? limit?.below ?? null;
  const drawn = useMemo(() => (value === null ? null : { value, text: metric(value, unit) }), [value, unit]);
  return (
    <Chart
      label={words(name)}
      times={times}
      lines={lines}
      bands={bands}
      limit={drawn}
      format={format}
      height={116}
      group="service"
      onZoom={zoom}
    />
  );
}

/** The unit of a metric that the server names none of. */
function guess(name: string): string | null {
  if (name.endsWith("_latency")) return "ms";
  if (name.endsWith("_rate") || name.endsWith("_usage")) return "ratio";
  return null;
}
