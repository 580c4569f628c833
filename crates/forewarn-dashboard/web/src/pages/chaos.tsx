// Faults on purpose, and what was said of each before it was felt.
import { useEffect, useMemo, useState } from "react";
import { post, remove } from "../api/client";
import { useResource } from "../api/resource";
import { may, useSession } from "../api/session";
import type { Chaos, ChaosFault } from "../api/types";
import { useNow } from "../lib/clock";
import { chance, minutes, plural, proper, span, within } from "../lib/format";
import { useParam } from "../lib/router";
import { fault } from "../lib/text";
import { parse } from "../lib/time";
import { useLive } from "../live/store";
import { Dialog, attempt } from "../ui/dialog";
import { Icon } from "../ui/icons";
import { Choice, Moment, Panel, Select, ServiceLink } from "../ui/parts";
import { NeedsRole } from "../ui/signin";
import { Answer, Empty } from "../ui/states";

export function ChaosPage() {
  const chaos = useResource<Chaos>("chaos", {
    refreshOn: (event) => event.event === "warning" || event.event === "failure" || event.event === "outcome",
  });
  const { reload } = chaos;
  const hasActive = (chaos.data?.active?.length ?? 0) > 0;
  // Faults end by themselves, which is no event.
  useEffect(() => {
    if (!hasActive) return;
    const timer = setInterval(reload, 3000);
    return () => clearInterval(timer);
  }, [hasActive, reload]);
  return (
    <Answer of={chaos} rows={6}>
      {(data) =>
        data.available ? (
          <Body chaos={data} reload={reload} />
        ) : (
          <Empty title="No faults can be injected here">
            The source of metrics is no simulator, and the configuration names no target for faults.
          </Empty>
        )
      }
    </Answer>
  );
}

function Body({ chaos, reload }: { chaos: Chaos; reload: () => void }) {
  const { role } = useSession();
  const allowed = may(role, "operator");
  return (
    <div className="chaos">
      {!allowed && <NeedsRole action="Injecting a fault" />}
      <div className="chaos-columns">
        <Inject chaos={chaos} allowed={allowed} reload={reload} />
        <Active faults={chaos.active ?? []} allowed={allowed} reload={reload} />
      </div>
      <Past faults={chaos.past ?? []} />
    </div>
  );
}

/** Durations to choose from, where a kind allows them. */
const DURATIONS = [30, 120, 300, 900, 1800];

function Inject({ chaos, allowed, reload }: { chaos: Chaos; allowed: boolean; reload: () => void }) {
  const names = useMemo(() => [...new Set(chaos.kinds.flatMap((kind) => kind.services))].sort(), [chaos.kinds]);
  const [chosen, setService] = useParam("service");
  const service = names.includes(chosen) ? chosen : (names[0] ?? "");
  const kinds = chaos.kinds.filter((kind) => kind.services.includes(service));
  const [wanted, setKind] = useParam("kind");
  const kind = kinds.find((each) => each.kind === wanted) ?? kinds[0];
  const [severities, setSeverities] = useState<Record<string, number>>({});
  const [lengths, setLengths] = useState<Record<string, number>>({});
  const [busy, setBusy] = useState(false);
  if (!kind) return <Empty title="There is no service that a fault could strike" />;

  const { severity: strength, seconds: length } = kind.parameters;
  const severity = severities[kind.kind] ?? strength.usual;
  const seconds = lengths[kind.kind] ?? length.usual;
  const durations = [...new Set([...DURATIONS, length.usual])]
    .filter((each) => each >= length.least && each <= length.most)
    .sort((a, b) => a - b);
  const inject = async () => {
    setBusy(true);
    await attempt(
      () => post("chaos", { service, kind: kind.kind, severity, seconds }),
      `${proper(kind.label)} in ${service}`,
    );
    setBusy(false);
    reload();
  };
  return (
    <Panel title="Inject a fault" note="It ends by itself, and the service recovers">
      <form
        className="inject"
        onSubmit={(event) => {
          event.preventDefault();
          void inject();
        }}
      >
        <Select
          label="Service"
          value={service}
          options={names.map((name) => [name, name] as const)}
          onChange={setService}
        />
        <fieldset>
          <legend>Fault</legend>
          <div className="kinds">
            {kinds.map((each) => (
              <label key={each.kind} className="kind">
                <input
                  type="radio"
                  name="kind"
                  value={each.kind}
                  checked={each.kind === kind.kind}
                  onChange={() => setKind(each.kind)}
                />
                <span>{proper(each.label)}</span>
              </label>
            ))}
          </div>
        </fieldset>
        <p className="kind-text">
          {kind.description}{" "}
          <span className="quiet">
            {kind.gradual
              ? "It builds up over minutes, so that it can be announced."
              : "It strikes at once: only what follows from it can be announced."}
          </span>
        </p>
        <label className="field">
          <span>
            Severity <b>{chance(severity)}</b>
          </span>
          <input
            type="range"
            min={strength.least}
            max={strength.most}
            step="0.05"
            value={severity}
            onChange={(event) => setSeverities({ ...severities, [kind.kind]: Number(event.target.value) })}
          />
        </label>
        <div className="field">
          <span aria-hidden="true">Duration</span>
          <Choice
            label="Duration"
            value={String(seconds)}
            options={durations.map((each) => ({ value: String(each), label: span(each) }))}
            onChange={(value) => setLengths({ ...lengths, [kind.kind]: Number(value) })}
          />
        </div>
        <button type="submit" className="button is-main" disabled={!allowed || busy}>
          <Icon name="chaos" size={16} /> Inject {within(proper(kind.label))}
        </button>
      </form>
    </Panel>
  );
}

function Active({ faults, allowed, reload }: { faults: ChaosFault[]; allowed: boolean; reload: () => void }) {
  const [asks, setAsks] = useState(false);
  const stop = async (path: string, done: string) => {
    await attempt(() => remove(path), done);
    reload();
  };
  const reset = async () => {
    setAsks(false);
    await attempt(() => post("reset"), "Every fault has ended");
    reload();
  };
  return (
    <Panel
      title="Active"
      note={faults.length ? plural(faults.length, "fault") : "No fault acts now"}
      actions={
        <>
          {faults.length > 0 && (
            <button
              type="button"
              className="button"
              disabled={!allowed}
              onClick={() => void stop("chaos", "All faults are stopped")}
            >
              Stop all
            </button>
          )}
          <button type="button" className="button" disabled={!allowed} onClick={() => setAsks(true)}>
            Reset
          </button>
        </>
      }
    >
      {faults.length === 0 ? (
        <Empty title="All is as it should be">
          Choose a service and a fault: the prediction should rise before the failure begins.
        </Empty>
      ) : (
        <ul className="faults">
          {faults.map((each) => (
            <Fault
              key={each.id}
              fault={each}
              allowed={allowed}
              onStop={() => void stop(`chaos/${each.id}`, `${fault(each.kind)} is stopped`)}
            />
          ))}
        </ul>
      )}
      {asks && (
        <Dialog
          title="End every fault"
          confirm="Reset"
          onConfirm={() => void reset()}
          onClose={() => setAsks(false)}
        >
          <p>
            All faults end. In a simulation those that came by themselves end too, and every service is whole at once.
            Ledger and history stay.
          </p>
        </Dialog>
      )}
    </Panel>
  );
}

function Fault({ fault: each, allowed, onStop }: { fault: ChaosFault; allowed: boolean; onStop: () => void }) {
  const now = useNow();
  const services = useLive((live) => live.services);
  const ends = parse(each.ends) ?? now;
  const left = Math.max(0, Math.min(each.seconds, (ends - now) / 1000));
  const share = each.seconds > 0 ? 1 - left / each.seconds : 1;
  const service = services.get(each.service);
  return (
    <li className="fault">
      <div className="fault-head">
        <span>
          <b>{fault(each.kind)}</b> in <ServiceLink name={each.service} />
        </span>
        <button type="button" className="button" disabled={!allowed} onClick={onStop}>
          <Icon name="stop" size={14} /> Stop
          <span className="hidden">
            {" "}
            {fault(each.kind)} in {each.service}
          </span>
        </button>
      </div>
      <span className="meter tone-plain" aria-hidden="true">
        <span className="meter-fill" style={{ width: `${share * 100}%` }} />
      </span>
      <p className="quiet">
        {each.phase === "waiting" ? (
          <>
            planned for <Moment time={each.started} />
          </>
        ) : each.phase === "recovering" ? (
          "recovering"
        ) : (
          `${span(left)} left`
        )}{" "}
        · severity {chance(each.severity)} · risk now {chance(service?.probability)}
        {service?.warning && " · warned"}
      </p>
    </li>
  );
}

function Past({ faults }: { faults: ChaosFault[] }) {
  return (
    <Panel title="What was said of each" note="Every injected fault beside the warning that came of it">
      {faults.length === 0 ? (
        <Empty title="No fault yet" />
      ) : (
        <div className="table-scroll" tabIndex={0} role="region" aria-label="Past faults">
          <table className="table">
            <thead>
              <tr>
                <th>Injected</th>
                <th>Fault</th>
                <th>Service</th>
                <th className="is-number">Severity</th>
                <th>Warned</th>
                <th>Failed</th>
                <th className="is-number">Ahead</th>
              </tr>
            </thead>
            <tbody>
              {faults.map((each) => (
                <tr key={each.id}>
                  <td>
                    <Moment time={each.started} />
                  </td>
                  <td>{fault(each.kind)}</td>
                  <td>
                    <ServiceLink name={each.service} />
                  </td>
                  <td className="is-number">{chance(each.severity)}</td>
                  <td>
                    {each.warned ? (
                      <span className="outcome is-hit">
                        <Icon name="check" size={14} /> Yes
                      </span>
                    ) : (
                      <span className="quiet">No</span>
                    )}
                  </td>
                  <td>{each.failed ? <Moment time={each.failed} /> : <span className="quiet">No</span>}</td>
                  <td className="is-number">{minutes(each.minutes_ahead)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}
