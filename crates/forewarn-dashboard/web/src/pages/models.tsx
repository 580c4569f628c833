// The models: which one warns, which ones run beside it, and how they compare.
import { useState } from "react";
import { post } from "../api/client";
import { useResource } from "../api/resource";
import { may, useSession } from "../api/session";
import type { Comparison, ModelView, Models } from "../api/types";
import { chance, minutes, number, plural, words } from "../lib/format";
import { Dialog, attempt } from "../ui/dialog";
import { Meter, Panel } from "../ui/parts";
import { Answer, Empty } from "../ui/states";

export function ModelsPage() {
  const models = useResource<Models>("models", {
    refreshOn: (event) => event.event === "outcome" || event.event === "action",
    atMostEvery: 5000,
  });
  const [promoting, setPromoting] = useState<string | null>(null);
  return (
    <Answer of={models} rows={5}>
      {(data) => (
        <div className="models">
          {data.comparison?.map((comparison) => (
            <Against key={comparison.shadow} comparison={comparison} />
          ))}
          {data.items.length === 0 && <Empty title="No model is loaded" />}
          <div className="model-list">
            {data.items.map((model) => (
              <Model key={model.name} model={model} onPromote={() => setPromoting(model.name)} />
            ))}
          </div>
          {promoting !== null && <Promote name={promoting} onClose={() => setPromoting(null)} onDone={models.reload} />}
        </div>
      )}
    </Answer>
  );
}

/** With its sign, as it is added. */
function shift(value: number): string {
  return `${value > 0 ? "+" : "−"}${Math.abs(value).toFixed(2)}`;
}

/** Two models on the same failures: what only one of them detected decides. */
function Against({ comparison }: { comparison: Comparison }) {
  const { shadow, both, only_main, only_shadow, neither, main_false, shadow_false } = comparison;
  const all = both + only_main + only_shadow + neither;
  const rows: [string, number][] = [
    ["Both detected", both],
    ["Only the main model", only_main],
    [`Only ${shadow}`, only_shadow],
    ["Neither", neither],
  ];
  return (
    <Panel title={`Main against ${shadow}`} note={`On the same ${plural(all, "failure")}`}>
      <ul className="against">
        {rows.map(([label, count]) => (
          <li key={label}>
            <span>{label}</span>
            <b>{count}</b>
            <Meter share={all ? count / all : null} tone="foresee" label={`${label}: ${count} of ${all}`} />
          </li>
        ))}
      </ul>
      <p className="quiet">
        False alarms: {main_false} of the main model, {shadow_false} of {shadow}.
      </p>
    </Panel>
  );
}

function Model({ model, onPromote }: { model: ModelView; onPromote: () => void }) {
  const { role } = useSession();
  const { ledger } = model;
  const facts = Object.entries(model.metadata).filter(
    ([, value]) => typeof value === "string" || typeof value === "number" || typeof value === "boolean",
  );
  return (
    <Panel
      title={model.name}
      note={model.main ? "Main: its warnings are sent" : "Shadow: judged, and silent"}
      className={model.main ? "is-main" : ""}
      actions={
        model.main ? (
          <span className="tag">main</span>
        ) : (
          <button
            type="button"
            className="button"
            disabled={!may(role, "operator")}
            title={may(role, "operator") ? undefined : "Needs the role operator"}
            onClick={onPromote}
          >
            Make it the main model
          </button>
        )
      }
    >
      <dl className="pairs">
        <dt>Trained on</dt>
        <dd>{model.trained ?? <span className="quiet">its file does not say</span>}</dd>
        <dt>Looks at</dt>
        <dd>
          {plural(model.observation, "step")} <span className="quiet">of {plural(model.metrics.length, "metric")}</span>
        </dd>
        <dt>Speaks of</dt>
        <dd>
          {plural(model.period, "step")}
          {model.lead > 0 && <span className="quiet"> after {plural(model.lead, "step")}</span>}
        </dd>
        <dt>Warns from</dt>
        <dd>
          {chance(model.threshold)}
          <span className="quiet">
            {model.threshold_shift === 0
              ? " its own threshold"
              : ` moved by ${shift(model.threshold_shift)} log-odds to keep the budget`}
          </span>
        </dd>
        <dt>In service</dt>
        <dd>
          {ledger.detected} of {ledger.detected + ledger.missed} failures detected
          {ledger.median_lead_minutes !== null && `, a median ${minutes(ledger.median_lead_minutes)} ahead`}
        </dd>
        <dt>False alarms</dt>
        <dd>
          {number(ledger.realised_per_service_week, 2)} per service and week{" "}
          <span className="quiet">of {number(ledger.budget_per_service_week)} accepted</span>
        </dd>
      </dl>
      <details className="report" open={facts.length > 0 && facts.length <= 12}>
        <summary>Training report</summary>
        {facts.length === 0 ? (
          <p className="quiet">The model file brings none.</p>
        ) : (
          <dl className="facts">
            {facts.map(([name, value]) => (
              <div key={name}>
                <dt>{words(name)}</dt>
                <dd>{typeof value === "number" ? number(value) : String(value)}</dd>
              </div>
            ))}
          </dl>
        )}
      </details>
    </Panel>
  );
}

function Promote({ name, onClose, onDone }: { name: string; onClose: () => void; onDone: () => void }) {
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false);
  const confirm = async () => {
    if (reason.trim() === "") return;
    setBusy(true);
    const done = await attempt(
      () => post(`models/${encodeURIComponent(name)}/promote`, { reason: reason.trim() }),
      `${name} is the main model`,
    );
    setBusy(false);
    if (done) {
      onDone();
      onClose();
    }
  };
  return (
    <Dialog
      title={`Make ${name} the main model`}
      confirm="Promote"
      busy={busy || reason.trim() === ""}
      onConfirm={() => void confirm()}
      onClose={onClose}
    >
      <p>From the next minute on its warnings are sent. The one that was main runs beside it.</p>
      <label className="field">
        <span>Why</span>
        <input
          value={reason}
          required
          onChange={(event) => setReason(event.target.value)}
          placeholder="Detects more at the same budget"
        />
      </label>
    </Dialog>
  );
}
