// One service: what is expected of it, why, and its metrics.
import { useResource } from "../api/resource";
import type { Prediction, ServiceDetail } from "../api/types";
import { chance } from "../lib/format";
import { reason } from "../lib/text";
import { useLive } from "../live/store";
import { LevelBadge, Moment, StandingBadge } from "../ui/parts";
import { Empty, Failed, Loading } from "../ui/states";
import { Actions } from "./service/actions";
import { Charts } from "./service/charts";
import { Evidence, Outlook, Similar, WhatToDo } from "./service/outlook";
import { Budgets, Neighbours, Record } from "./service/around";
import { PastWarnings } from "./service/past";

export function ServicePage({ name }: { name: string }) {
  const path = encodeURIComponent(name);
  const summary = useLive((live) => live.services.get(name));
  const isConnected = useLive((live) => live.status !== null);
  const detail = useResource<ServiceDetail>(`services/${path}`, {
    refreshOn: (event) => event.service === name && event.event !== "row" && event.event !== "score",
  });
  const prediction = useResource<Prediction>(`predictions/${path}`, {
    refreshOn: (event) => event.service === name && (event.event === "score" || event.event === "warning"),
  });
  const service = summary ?? detail.data;

  if (!service) {
    if (detail.error?.status === 404) {
      return <Empty title={`There is no service ${name}`}>It may have been forgotten after a long silence.</Empty>;
    }
    if (detail.error && isConnected) return <Failed error={detail.error} retry={detail.reload} />;
    return <Loading rows={8} label={`Loading ${name}`} />;
  }
  const outlook = prediction.data;
  return (
    <div className="service">
      <header className={`service-head is-${service.status}`}>
        <div className="service-now">
          <StandingBadge standing={service.status} />
          {service.failing_since && (
            <span>
              failing since <Moment time={service.failing_since} style="both" />
            </span>
          )}
          {service.probability === null ? (
            <span>No prediction: {reason(service.cannot_tell ?? service.missing)}</span>
          ) : (
            <>
              <span className="service-risk">
                <b>{chance(service.probability)}</b> risk of a failure beginning
              </span>
              <LevelBadge level={service.level} />
            </>
          )}
          {service.silenced_until && (
            <span className="quiet">
              silenced until <Moment time={service.silenced_until} />
            </span>
          )}
        </div>
        <Actions service={service} />
      </header>
      <div className="service-columns">
        <div className="service-main">
          <Charts name={name} limits={detail.data?.limits ?? {}} />
        </div>
        <aside className="service-side" aria-label="Outlook">
          <Outlook prediction={prediction} service={service} />
          {outlook && outlook.evidence.length > 0 && <Evidence items={outlook.evidence} />}
          {outlook?.recommendation && <WhatToDo recommendation={outlook.recommendation} />}
          {outlook && outlook.similar.length > 0 && <Similar items={outlook.similar} />}
          <PastWarnings name={name} />
          {detail.data && <Budgets slos={detail.data.slo} />}
          {detail.data && <Neighbours servers={detail.data.servers} clients={detail.data.clients} />}
          <Record ledger={service.ledger} name={name} />
        </aside>
      </div>
    </div>
  );
}
