// Types of the API, written by scripts/types.mjs from openapi.json.

export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description What an operator did, as a button of a chat tells it. */
        ActionBody: {
            /** @description What it was. */
            action: components["schemas"]["Did"];
            /** @description A service, in place of the id of the warning that it has now. */
            service?: string | null;
            /** @description Id of the warning. */
            warning?: string | null;
        };
        /** @description What may help against a failure. */
        Advice: {
            /** @description Where to read more, if the configuration says so. */
            runbook?: string | null;
            /** @description What to do. */
            text: string;
        };
        /** @description What Alertmanager sends to a webhook, version 4, as far as it is read. */
        AlertPayload: {
            /** @description The alerts. */
            alerts: components["schemas"]["ReceivedAlert"][];
        };
        /** @description The clock, and what changes between two rows. */
        Beat: {
            /**
             * @description Availability of the services, as in their summaries, but for those without a failure in the last 24 h; left out
             *     unless a row was closed since the beat before.
             */
            availability?: {
                [key: string]: number;
            } | null;
            /** @description The clock of the data, as that of the status. */
            now: components["schemas"]["Time"];
            /**
             * Format: double
             * @description Seconds since the last closed row, by the clock of the data; null for data without a clock.
             */
            row_age_seconds?: number | null;
            /**
             * Format: int64
             * @description Number of the last event; null before the first.
             */
            seq?: number | null;
            /** @description What each service does at this moment; left out unless a simulation is the source. */
            services?: {
                [key: string]: components["schemas"]["Moment"];
            } | null;
        };
        /** @description How many false alarms are accepted, and how many there were. */
        BudgetInfo: {
            /**
             * Format: int32
             * @description False alarms so far.
             */
            false_alarms: number;
            /**
             * Format: double
             * @description False alarms per service and week that are accepted.
             */
            per_service_week?: number | null;
            /**
             * Format: double
             * @description False alarms per service and week so far.
             */
            realised_per_service_week?: number | null;
            /**
             * Format: double
             * @description Weeks of services watched so far.
             */
            service_weeks: number;
        };
        /** @description How fast an error budget burned in the last minutes. */
        Burn: {
            /**
             * Format: double
             * @description Times faster than the objective allows; null for a window without events.
             */
            rate?: number | null;
            /**
             * Format: int32
             * @description Length of the window.
             */
            window_minutes: number;
        };
        /** @description What is to be expected of an error budget. */
        BurnForecast: {
            /**
             * Format: double
             * @description Minutes until it is used up at the pace of the last hour; null where it lasts.
             */
            minutes_to_exhaustion?: number | null;
            /**
             * Format: double
             * @description Probability that a failure begins in the prediction period; null where the model cannot tell.
             */
            probability?: number | null;
        };
        /** @enum {string} */
        BurnLevel: "met" | "ticket" | "page";
        /** @description How often failures followed scores of about one probability. */
        CalibrationBin: {
            /**
             * Format: int64
             * @description Scores.
             */
            count: number;
            /**
             * Format: double
             * @description Share of the scores in whose prediction period a failure began.
             */
            observed: number;
            /**
             * Format: double
             * @description Mean of the probabilities.
             */
            predicted: number;
        };
        /** @description What may follow from one service's trouble. */
        CascadeView: {
            /**
             * Format: double
             * @description Expected minutes until the root's failure; null where the model does not know, or it fails already.
             */
            minutes?: number | null;
            /** @description The service that warns or fails. */
            root: string;
            /** @description The services that may follow, the likeliest first. */
            victims: components["schemas"]["Victim"][];
        };
        /** @description A fault that was injected. */
        ChaosExperiment: {
            /**
             * Format: date-time
             * @description When its recovery begins, or began.
             */
            ends: string;
            /**
             * Format: date-time
             * @description Onset of the first failure of one of these while it lasted, if there was any.
             */
            failed?: string | null;
            /**
             * Format: int32
             * @description Its id.
             */
            id: number;
            /** @description What happens. */
            kind: string;
            /**
             * Format: double
             * @description Seconds until its recovery begins; 0 from then on.
             */
            left_seconds: number;
            /**
             * Format: double
             * @description Minutes from that warning to that failure; negative where the warning came after it.
             */
            minutes_ahead?: number | null;
            /**
             * Format: date-time
             * @description When it is over, or was.
             */
            over: string;
            /** @description How far it has come. */
            phase: components["schemas"]["ChaosPhase"];
            /** @description The service and those that depend on it over calls: where warnings and failures count as its own. */
            reaches: string[];
            /**
             * Format: double
             * @description Seconds from its start until its recovery begins.
             */
            seconds: number;
            /** @description The service that it strikes. */
            service: string;
            /**
             * Format: double
             * @description How badly, 0 to 1.
             */
            severity: number;
            /**
             * Format: date-time
             * @description When it began.
             */
            started: string;
            /** @description Whether a person ended it early. */
            stopped: boolean;
            /** @description The first warning of one of these while it lasted, if there was any. */
            warned?: string | null;
        };
        /** @description A kind of fault. */
        ChaosKindInfo: {
            /** @description What it does, in a sentence. */
            description: string;
            /** @description Whether it builds up over minutes, so that metrics can show it before it breaks anything. */
            gradual: boolean;
            /** @description Its name in requests. */
            kind: string;
            /** @description Its name on a page. */
            label: string;
            /** @description The parameters of a request. */
            parameters: components["schemas"]["ChaosParameters"];
            /** @description Whether it belongs to the daily routine and usually breaks nothing. */
            routine: boolean;
            /** @description The services that it can strike, in order of name. */
            services: string[];
        };
        /** @description The numbers of a request. */
        ChaosParameters: {
            /** @description Seconds until its recovery begins. */
            seconds: components["schemas"]["Span"];
            /** @description How badly. */
            severity: components["schemas"]["Span"];
        };
        /**
         * @description How far a fault has come.
         * @enum {string}
         */
        ChaosPhase: "waiting" | "active" | "recovering" | "over";
        /** @description A fault to be injected. */
        ChaosRequest: {
            /** @description One of [`ChaosControl::kinds`](super::ChaosControl::kinds). */
            kind: string;
            /**
             * Format: double
             * @description Seconds until its recovery begins by itself; the usual time of the kind unless given.
             */
            seconds?: number | null;
            /** @description The service that it strikes. */
            service: string;
            /**
             * Format: double
             * @description How badly, above 0 to 1; the usual severity of the kind unless given.
             */
            severity?: number | null;
        };
        /** @description What is broken at the moment. */
        ChaosState: {
            /** @description Faults that are not over, in order of id. */
            active: components["schemas"]["ChaosExperiment"][];
            /** @description Most faults side by side. */
            most_active: number;
            /**
             * Format: date-time
             * @description The clock of what is watched.
             */
            now: string;
            /** @description Faults that are over, the newest first, at most 1,000. */
            past: components["schemas"]["ChaosExperiment"][];
        };
        /** @description What can be injected, what is, and what was. */
        ChaosView: (null | components["schemas"]["ChaosState"]) & {
            /** @description Whether anything here takes faults. */
            available: boolean;
            /** @description What can be injected. */
            kinds: components["schemas"]["ChaosKindInfo"][];
        };
        /** @description A model beside the main one, on the same failures of the ledger's entries in memory. */
        Comparison: {
            /** @description Failures that both detected. */
            both: number;
            /** @description False alarms of the main model. */
            main_false: number;
            /** @description Failures that neither detected. */
            neither: number;
            /** @description Failures that only the main model detected. */
            only_main: number;
            /** @description Failures that only the model beside detected. */
            only_shadow: number;
            /** @description The model beside. */
            shadow: string;
            /** @description False alarms of the model beside. */
            shadow_false: number;
        };
        /** @description How far to trust a score. */
        Confidence: {
            /** @description Whether the model's file says that its probabilities were calibrated. */
            calibrated: boolean;
            /**
             * Format: double
             * @description How many times beyond all of training the farthest metric is; 1 for within. Null without a row.
             */
            distance?: number | null;
            /** @description The same in words. */
            text: string;
        };
        /**
         * @description What was done about a warning.
         * @enum {string}
         */
        Did: "acknowledged" | "acted";
        /** @description A call. */
        Edge: {
            /** @description Who calls. */
            client: string;
            /**
             * Format: double
             * @description Share of them that failed; null where that is not known.
             */
            error_rate?: number | null;
            /**
             * Format: double
             * @description Requests a second over this call; null where that is not known.
             */
            requests?: number | null;
            /** @description Who is called. */
            server: string;
        };
        /**
         * @description Kinds of events.
         * @enum {string}
         */
        EventKind: "service_appeared" | "service_expired" | "service_adopted" | "service_released" | "row" | "score" | "warning" | "incident" | "failure" | "outcome" | "budget" | "slo" | "source" | "late" | "action";
        /** @description A page of the log. */
        EventPage: {
            /**
             * Format: int64
             * @description Number of the oldest event in memory; those before are in the file of events.
             */
            first: number;
            /** @description The events, in order of number: each has `seq`, `time`, its kind as `event`, and what it says. */
            items: Record<string, never>[];
            /**
             * Format: int64
             * @description What to send as `after` for what comes next.
             */
            next?: number | null;
        };
        /** @description All that a page shows, of one moment. */
        Everything: {
            /** @description The faults. */
            chaos: components["schemas"]["ChaosView"];
            /** @description The service graph. */
            graph: components["schemas"]["Graph"];
            /** @description The incidents that are open, the newest first. */
            incidents: components["schemas"]["Incident"][];
            /**
             * Format: int64
             * @description Number of the last event that it includes; null before the first.
             */
            seq?: number | null;
            /** @description The services in order of name. */
            services: components["schemas"]["ServiceSummary"][];
            /** @description How the whole service is. */
            status: components["schemas"]["Status"];
            /** @description The warnings that fire, the newest first. */
            warnings: components["schemas"]["Warning"][];
        };
        /** @description One contribution to a score. */
        Evidence: {
            /**
             * Format: float
             * @description Distance from normal in deviations of training.
             */
            deviations?: number | null;
            /**
             * Format: double
             * @description What it adds to the log-odds of a failure.
             */
            log_odds: number;
            /** @description The feature. */
            metric: string;
            /**
             * Format: float
             * @description What is normal.
             */
            normal?: number | null;
            /**
             * Format: float
             * @description What was seen, as the model sees it.
             */
            value?: number | null;
            /** @description What of it is looked at, in words. */
            view: string;
        };
        /** @description A failure by the failure rule. */
        Failure: {
            /** @description Row time at which it was certain. */
            confirmed_at: components["schemas"]["Time"];
            end?: null | components["schemas"]["Time"];
            /** @description Its id. */
            id: string;
            /** @description First minute of the sustained run of violations. */
            onset: components["schemas"]["Time"];
            /** @description Which service failed. */
            service: string;
        };
        /** @enum {string} */
        FailureKind: "latency" | "errors" | "cpu" | "memory" | "traffic" | "restarts" | "dependency" | "unknown";
        /** @description The six numbers of a service that people look at first; null where the metrics do not have it, or it is missing. */
        Gauges: {
            /**
             * Format: double
             * @description Share of the known minutes of the last 24 h in which it was not failing.
             */
            availability?: number | null;
            /**
             * Format: double
             * @description Share of the processor in use.
             */
            cpu?: number | null;
            /**
             * Format: double
             * @description Share of the requests that failed.
             */
            error_rate?: number | null;
            /**
             * Format: double
             * @description Milliseconds: the 95th percentile where there is one.
             */
            latency?: number | null;
            /**
             * Format: double
             * @description Share of the memory in use.
             */
            memory?: number | null;
            /**
             * Format: double
             * @description Requests a second.
             */
            throughput?: number | null;
        };
        /** @description The service graph. */
        Graph: {
            /** @description Services that the failure of each is expected to bring down. */
            blast_radius: {
                [key: string]: number;
            };
            /** @description What may follow from each service that warns or fails. */
            cascades: components["schemas"]["CascadeView"][];
            /** @description The services on the way on which the slowest entry service waits longest. */
            critical_path: string[];
            /** @description The calls. */
            edges: components["schemas"]["Edge"][];
            /** @description The services, in order of name: those of calls, and those that are watched. */
            nodes: components["schemas"]["Node"][];
        };
        /** @description Whether it is as asked. */
        Health: {
            /** @description `ok`. */
            status: string;
        };
        /** @description The past of a service. All lists have one entry for each point. */
        History: {
            /** @description Failures that went on in the span. */
            failures: components["schemas"]["Failure"][];
            first?: null | components["schemas"]["Time"];
            /** @description Mean of each metric; null where nothing is known. */
            metrics: {
                [key: string]: (number | null)[];
            };
            /** @description Rows of each point. */
            minutes: number[];
            /** @description The model whose scores they are. */
            model: string;
            /** @description Largest probability; null where the model could not tell. */
            probability: (number | null)[];
            /** @description The service. */
            service: string;
            /**
             * Format: double
             * @description Seconds from one point to the next.
             */
            step_seconds: number;
            /** @description Probability from which on the model warned; null where that is no longer known. */
            threshold: (number | null)[];
            /** @description Start of each point's span. */
            times: components["schemas"]["Time"][];
            /** @description Warnings that fired in the span. */
            warnings: components["schemas"]["Warning"][];
        };
        /** @description The warnings and failures of one cascade as one. */
        Incident: {
            /**
             * Format: double
             * @description Services that a failure of the first suspect is expected to bring down; null outside of the graph.
             */
            blast_radius?: number | null;
            closed_at?: null | components["schemas"]["Time"];
            /** @description Its id. */
            id: string;
            /** @description How the trouble spreads from the first suspect to the farthest of its services, over calls. */
            path: string[];
            /** @description Its services in order of joining. */
            services: string[];
            /** @description Row time of its first warning or failure. */
            since: components["schemas"]["Time"];
            /** @description As it was said last. */
            state: components["schemas"]["IncidentWord"];
            /** @description Where it probably began, the likeliest first. */
            suspects: components["schemas"]["Suspect"][];
            /** @description Row time of its last change. */
            updated_at: components["schemas"]["Time"];
            /** @description Services that may follow, the likeliest first. */
            victims: components["schemas"]["Victim"][];
            /** @description The warnings of its services. */
            warnings: string[];
        };
        /**
         * @description Incidents of which state.
         * @enum {string}
         */
        IncidentFilter: "open" | "closed" | "all";
        /** @enum {string} */
        IncidentWord: "opened" | "updated" | "closed";
        /** @description What became of alarms and failures, counted. */
        Ledger: {
            /**
             * Format: int32
             * @description Warnings that an operator acted on, and after which no failure came.
             */
            averted: number;
            /**
             * Format: int32
             * @description Warnings of which it is not known.
             */
            censored: number;
            /**
             * Format: int32
             * @description Failures that a warning came before.
             */
            detected: number;
            /**
             * Format: int32
             * @description Warnings without a failure.
             */
            false: number;
            /**
             * Format: int32
             * @description Warnings before a failure that came.
             */
            hits: number;
            /**
             * Format: int32
             * @description Warnings in the middle of a failure.
             */
            late: number;
            /**
             * Format: int32
             * @description Failures that no warning came before.
             */
            missed: number;
            /**
             * Format: int32
             * @description Failures that no score could have come before.
             */
            out_of_reach: number;
        };
        /** @description The ledger. */
        LedgerBook: {
            /** @description The main model's entries that fit, by day. */
            by_day: components["schemas"]["LedgerDay"][];
            /** @description The entries that fit, the newest first: those in memory, and from `from` on those of the history on disk. */
            entries: components["schemas"]["Page_LedgerEntry"];
            first?: null | components["schemas"]["Time"];
            /**
             * @description The models, the main one first. Over all time and services without a filter; with one, over the entries that
             *     fit.
             */
            models: components["schemas"]["ModelLedger"][];
        };
        /** @description What became of the main model's warnings of a day, by when they were judged. */
        LedgerDay: components["schemas"]["Ledger"] & {
            /**
             * Format: date
             * @description The day in UTC: `2026-03-02`.
             */
            day: string;
        };
        /** @description Alerts that were left out, by reason. */
        LeftOut: {
            /**
             * Format: int64
             * @description Alerts beyond 10,000 of one body.
             */
            beyond_limit: number;
            /**
             * Format: int64
             * @description Alerts whose names are not among those that say that a service fails.
             */
            other_names: number;
            /**
             * Format: int64
             * @description Alerts of this service itself, which must not confirm themselves.
             */
            own: number;
            /**
             * Format: int64
             * @description Alerts without a time, or of another status than firing and resolved.
             */
            unclear: number;
            /**
             * Format: int64
             * @description Alerts without a name, or without the labels of a service.
             */
            without_service: number;
        };
        /** @enum {string} */
        Level: "low" | "medium" | "high" | "critical";
        /** @description A message of the live stream. */
        LiveMessage: (components["schemas"]["Everything"] & {
            /** @enum {string} */
            type: "snapshot";
        }) | {
            /** @description The event: `seq`, `time`, its kind as `event`, and what it says. */
            event: Record<string, never>;
            /**
             * Format: int64
             * @description Number of the event.
             */
            seq: number;
            /** @enum {string} */
            type: "event";
        } | (components["schemas"]["Beat"] & {
            /** @enum {string} */
            type: "beat";
        }) | {
            /**
             * Format: int64
             * @description Events that it is not sent, up to the one of that snapshot.
             */
            missed: number;
            /** @enum {string} */
            type: "lagged";
        };
        /** @description A metric of a row. */
        MetricInfo: {
            /** @description Its name. */
            name: string;
            /** @description Its unit: `ratio`, `ms`, `count per step`, `kB/s`, `dimensionless`, or another by its symbol. */
            unit: string;
        };
        /** @description From where on a metric counts as failing, by itself or with others. */
        MetricLimit: {
            /**
             * Format: double
             * @description Failing at or above it.
             */
            above?: number | null;
            /**
             * Format: double
             * @description Failing at or below it.
             */
            below?: number | null;
        };
        /** @description A model. */
        Model: {
            /** @description Which model it is: equal for files of equal bytes. */
            fingerprint: string;
            /** @description Steps between a score and the period that it speaks about. */
            lead: number;
            /** @description What became of its warnings. */
            ledger: components["schemas"]["ModelLedger"];
            /** @description Whether it is the one that warns. */
            main: boolean;
            /** @description What else its file says. */
            metadata: Record<string, never>;
            /** @description The metrics that it reads. */
            metrics: string[];
            /** @description Its name. */
            name: string;
            /** @description Steps that it looks at. */
            observation: number;
            /** @description Steps of that period. */
            period: number;
            /**
             * Format: double
             * @description Probability from which on it warns now.
             */
            threshold: number;
            /**
             * Format: double
             * @description What the budget adds to the log-odds of its own threshold.
             */
            threshold_shift: number;
            /** @description What it was trained on, if its file says so. */
            trained?: string | null;
        };
        /** @description What became of a model's warnings. */
        ModelLedger: components["schemas"]["Ledger"] & {
            /**
             * Format: double
             * @description False alarms per service and week that are accepted.
             */
            budget_per_service_week: number;
            /**
             * @description How often failures followed its scores: over the whole days of the span that is asked for, of the last weeks
             *     without one, and of all services. While the ledger has no such day, over the rows in memory.
             */
            calibration: components["schemas"]["CalibrationBin"][];
            /**
             * Format: double
             * @description Median lead of the detected failures.
             */
            median_lead_minutes?: number | null;
            /** @description The model. */
            name: string;
            /** @description Hits among hits and false alarms: late ones are left aside. */
            precision: components["schemas"]["Share"];
            /**
             * Format: double
             * @description False alarms per service and week so far.
             */
            realised_per_service_week?: number | null;
            /** @description Detected failures among those within reach. */
            recall: components["schemas"]["Share"];
            /** @description Whether it only runs beside the main one. */
            shadow: boolean;
        };
        /** @description The models. */
        Models: {
            /** @description Each model beside the main one compared with it; null where there is none. */
            comparison?: components["schemas"]["Comparison"][] | null;
            /** @description The models, the main one first. */
            items: components["schemas"]["Model"][];
        };
        /** @description What a simulated service does at a moment, finer than its rows. */
        Moment: {
            /**
             * Format: double
             * @description Share of the processor in use.
             */
            cpu: number;
            /**
             * Format: double
             * @description Share of the requests that failed; null without requests.
             */
            error_rate?: number | null;
            /**
             * Format: double
             * @description Milliseconds: the 95th percentile; null without requests.
             */
            latency?: number | null;
            /**
             * Format: double
             * @description Share of the memory in use.
             */
            memory: number;
            /**
             * Format: double
             * @description Share of the pods that take requests.
             */
            pods_up: number;
            /**
             * Format: double
             * @description Requests a second.
             */
            throughput: number;
        };
        /** @description An alert of which Alertmanager tells no one. */
        MutedAlert: {
            /** @description Whether another alert inhibits it. */
            inhibited: boolean;
            /** @description The id of the warning, or `source:` and the name of a source. */
            key: string;
            /** @description The silences that fit it. */
            silences: components["schemas"]["SilenceNote"][];
        };
        /** @description A service of the graph. */
        Node: {
            /** @description Whether it is on the critical path. */
            critical: boolean;
            /**
             * Format: double
             * @description 1 for well to 0 for down; null where it is not known.
             */
            health?: number | null;
            /**
             * Format: double
             * @description Probability that a failure begins; null where the model cannot tell.
             */
            probability?: number | null;
            /** @description The service. */
            service: string;
            /** @description How it stands. */
            status: components["schemas"]["Standing"];
        };
        /** @description A service level objective of a service. */
        Objective: {
            /**
             * Format: double
             * @description Part of the error budget that is left, below 0 where more was used; null without events.
             */
            budget_left?: number | null;
            /** @description How fast it burns, window by window. */
            burn_rates: components["schemas"]["Burn"][];
            /** @description What is to be expected. */
            forecast: components["schemas"]["BurnForecast"];
            /** @description Whether it burns too fast. */
            level: components["schemas"]["BurnLevel"];
            /** @description The objective's name. */
            objective: string;
            /** @description Of which service. */
            service: string;
            since?: null | components["schemas"]["Time"];
            /**
             * Format: double
             * @description Share of events that should be good.
             */
            target: number;
            /** @description Whether it burns too fast, or the budget is used up. */
            violated: boolean;
            /**
             * Format: int32
             * @description Days over which the error budget is counted.
             */
            window_days: number;
        };
        /** @enum {string} */
        Outcome: "hit" | "late" | "false" | "censored" | "averted" | "detected" | "missed";
        /** @description A page of a list. */
        Page_Incident: {
            /** @description The entries. */
            items: {
                /**
                 * Format: double
                 * @description Services that a failure of the first suspect is expected to bring down; null outside of the graph.
                 */
                blast_radius?: number | null;
                closed_at?: null | components["schemas"]["Time"];
                /** @description Its id. */
                id: string;
                /** @description How the trouble spreads from the first suspect to the farthest of its services, over calls. */
                path: string[];
                /** @description Its services in order of joining. */
                services: string[];
                /** @description Row time of its first warning or failure. */
                since: components["schemas"]["Time"];
                /** @description As it was said last. */
                state: components["schemas"]["IncidentWord"];
                /** @description Where it probably began, the likeliest first. */
                suspects: components["schemas"]["Suspect"][];
                /** @description Row time of its last change. */
                updated_at: components["schemas"]["Time"];
                /** @description Services that may follow, the likeliest first. */
                victims: components["schemas"]["Victim"][];
                /** @description The warnings of its services. */
                warnings: string[];
            }[];
            /** @description What to send as `cursor` for the next page; null on the last one. */
            next_cursor?: string | null;
            /** @description Entries of all pages together. */
            total: number;
        };
        /** @description A page of a list. */
        Page_LedgerEntry: {
            /** @description The entries. */
            items: {
                alarm?: null | components["schemas"]["Time"];
                /**
                 * Format: double
                 * @description Minutes between warning and onset.
                 */
                lead_minutes?: number | null;
                /** @description Which model's warning; the main model for a missed failure. */
                model: string;
                /**
                 * Format: double
                 * @description The same without what passes before a person can act.
                 */
                net_lead_minutes?: number | null;
                onset?: null | components["schemas"]["Time"];
                /** @description What became of it. */
                outcome: components["schemas"]["Outcome"];
                /**
                 * Format: int64
                 * @description Number of its event.
                 */
                seq: number;
                /** @description Of which service. */
                service: string;
                /** @description Whether that model only runs beside the main one. */
                shadow: boolean;
                /** @description Row time at which it was judged. */
                time: components["schemas"]["Time"];
                /** @description The warning, if it is about one. */
                warning?: string | null;
            }[];
            /** @description What to send as `cursor` for the next page; null on the last one. */
            next_cursor?: string | null;
            /** @description Entries of all pages together. */
            total: number;
        };
        /** @description A page of a list. */
        Page_Prediction: {
            /** @description The entries. */
            items: {
                cannot_tell?: null | components["schemas"]["WhyUnknown"];
                /** @description How far to trust it. */
                confidence: components["schemas"]["Confidence"];
                /** @description The largest contributions to the score that raised the warning that fires; empty without one. */
                evidence: components["schemas"]["Evidence"][];
                kind?: null | components["schemas"]["FailureKind"];
                /**
                 * Format: double
                 * @description Share of the evidence that speaks for this kind.
                 */
                kind_confidence?: number | null;
                level?: null | components["schemas"]["Level"];
                /**
                 * Format: double
                 * @description Expected minutes until the failure, should it come; likewise.
                 */
                minutes_to_failure?: number | null;
                /** @description The model. */
                model: string;
                /** @description Probability for each step of the period; for models that know when, and from medium risk on. */
                per_step?: number[] | null;
                /**
                 * Format: double
                 * @description Probability that a failure begins in the prediction period; null where the model cannot tell.
                 */
                probability?: number | null;
                recommendation?: null | components["schemas"]["Advice"];
                /** @description The service. */
                service: string;
                /** @description Judged warnings of the same kind, those of the same service first, then the newest. */
                similar: components["schemas"]["SimilarWarning"][];
                /**
                 * Format: double
                 * @description Probability from which on the model warns.
                 */
                threshold: number;
                time?: null | components["schemas"]["Time"];
                /** @description Id of the warning that fires. */
                warning?: string | null;
            }[];
            /** @description What to send as `cursor` for the next page; null on the last one. */
            next_cursor?: string | null;
            /** @description Entries of all pages together. */
            total: number;
        };
        /** @description A page of a list. */
        Page_ServiceSummary: {
            /** @description The entries. */
            items: {
                /**
                 * Format: double
                 * @description Seconds since then, by the clock of the data; null for data without a clock.
                 */
                age_seconds?: number | null;
                /**
                 * Format: double
                 * @description Share of the known minutes of the last 24 h in which it was not failing.
                 */
                availability?: number | null;
                cannot_tell?: null | components["schemas"]["WhyUnknown"];
                failing_since?: null | components["schemas"]["Time"];
                /** @description The numbers that people look at first. */
                gauges: components["schemas"]["Gauges"];
                /**
                 * Format: double
                 * @description 1 for well to 0 for down; null where the metrics do not say.
                 */
                health?: number | null;
                /** @description What became of its warnings and failures. */
                ledger: components["schemas"]["Ledger"];
                level?: null | components["schemas"]["Level"];
                /** @description The row by metric; null where missing. */
                metrics: {
                    [key: string]: number | null;
                };
                missing?: null | components["schemas"]["WhyMissing"];
                /** @description Its name. */
                name: string;
                /**
                 * Format: double
                 * @description Probability that a failure begins in the prediction period; null where the model cannot tell.
                 */
                probability?: number | null;
                silenced_until?: null | components["schemas"]["Time"];
                /** @description How it stands. */
                status: components["schemas"]["Standing"];
                time?: null | components["schemas"]["Time"];
                /** @description Id of the warning that fires. */
                warning?: string | null;
            }[];
            /** @description What to send as `cursor` for the next page; null on the last one. */
            next_cursor?: string | null;
            /** @description Entries of all pages together. */
            total: number;
        };
        /** @description A page of a list. */
        Page_Warning: {
            /** @description The entries. */
            items: {
                /** @description Whether an operator has seen it. */
                acknowledged: boolean;
                acknowledged_at?: null | components["schemas"]["Time"];
                /** @description Whether an operator acted on it. */
                acted: boolean;
                acted_at?: null | components["schemas"]["Time"];
                /** @description The largest contributions to the score when it was raised. */
                evidence: components["schemas"]["Evidence"][];
                /** @description Its id. */
                id: string;
                /** @description The incident that it belongs to. */
                incident?: string | null;
                /** @description What kind of failure it looks like. */
                kind: components["schemas"]["FailureKind"];
                /**
                 * Format: double
                 * @description Share of the evidence that speaks for this kind.
                 */
                kind_confidence: number;
                /**
                 * Format: double
                 * @description Minutes from it to the failure's onset, if that came.
                 */
                lead_minutes?: number | null;
                /** @description How serious it was when it was raised. */
                level: components["schemas"]["Level"];
                /**
                 * Format: double
                 * @description Expected minutes from then until the failure.
                 */
                minutes_to_failure?: number | null;
                /** @description Which model. */
                model: string;
                outcome?: null | components["schemas"]["Outcome"];
                /**
                 * Format: double
                 * @description Probability that raised it.
                 */
                probability?: number | null;
                /** @description What may help. */
                recommendation: components["schemas"]["Advice"];
                resolved_at?: null | components["schemas"]["Time"];
                /** @description Of which service. */
                service: string;
                /** @description Whether an operator had asked for silence. */
                silenced: boolean;
                /** @description Row time at which it was raised. */
                since: components["schemas"]["Time"];
                /** @description Whether it fires. */
                state: components["schemas"]["WarningWord"];
                /**
                 * Format: double
                 * @description Probability from which on an alarm was raised.
                 */
                threshold: number;
            }[];
            /** @description What to send as `cursor` for the next page; null on the last one. */
            next_cursor?: string | null;
            /** @description Entries of all pages together. */
            total: number;
        };
        /** @description What the main model says of a service. */
        Prediction: {
            cannot_tell?: null | components["schemas"]["WhyUnknown"];
            /** @description How far to trust it. */
            confidence: components["schemas"]["Confidence"];
            /** @description The largest contributions to the score that raised the warning that fires; empty without one. */
            evidence: components["schemas"]["Evidence"][];
            kind?: null | components["schemas"]["FailureKind"];
            /**
             * Format: double
             * @description Share of the evidence that speaks for this kind.
             */
            kind_confidence?: number | null;
            level?: null | components["schemas"]["Level"];
            /**
             * Format: double
             * @description Expected minutes until the failure, should it come; likewise.
             */
            minutes_to_failure?: number | null;
            /** @description The model. */
            model: string;
            /** @description Probability for each step of the period; for models that know when, and from medium risk on. */
            per_step?: number[] | null;
            /**
             * Format: double
             * @description Probability that a failure begins in the prediction period; null where the model cannot tell.
             */
            probability?: number | null;
            recommendation?: null | components["schemas"]["Advice"];
            /** @description The service. */
            service: string;
            /** @description Judged warnings of the same kind, those of the same service first, then the newest. */
            similar: components["schemas"]["SimilarWarning"][];
            /**
             * Format: double
             * @description Probability from which on the model warns.
             */
            threshold: number;
            time?: null | components["schemas"]["Time"];
            /** @description Id of the warning that fires. */
            warning?: string | null;
        };
        /** @description Why a request was not answered as asked: RFC 9457, `application/problem+json`. */
        Problem: {
            /** @description A word for programs, such as `not_found` or `rate_limited`. */
            code: string;
            /** @description What was found, what was expected, and what to do. */
            detail: string;
            /**
             * Format: int32
             * @description HTTP status.
             */
            status: number;
            /** @description The status in words. */
            title: string;
            /** @description Always `about:blank`: the status says what kind of problem it is, and `code` which. */
            type: string;
        };
        /** @description Why a model is promoted. */
        Promotion: {
            /** @description For the log. */
            reason: string;
        };
        /** @description What became of the alerts of a body. */
        Receipt: {
            /** @description Those that were left out, by reason. */
            left_out: components["schemas"]["LeftOut"];
            /** @description Alerts that are in the journal. */
            taken: number;
            /** @description Those of services that are not watched. */
            unknown_services: number;
        };
        /** @description An alert of another program. */
        ReceivedAlert: {
            /** @description Its labels: `alertname`, and those that name a service. */
            labels?: {
                [key: string]: string;
            };
            /** @description When it began: RFC 3339. */
            startsAt?: string;
            /** @description `firing` or `resolved`. */
            status?: string;
        };
        /** @description What became of reading the configuration again. */
        Reloaded: {
            /**
             * Format: int64
             * @description How often it was read again and holds.
             */
            accepted: number;
            /**
             * Format: int64
             * @description How often it was refused.
             */
            refused: number;
        };
        /** @description What a reset ended. */
        Reset: {
            /** @description Faults that were ended, those that came by themselves too. */
            ended: number;
        };
        /**
         * @description What the bearer of a token may do. Each role may do what those before it may.
         * @enum {string}
         */
        Role: "viewer" | "operator" | "admin";
        /** @description A service and all that belongs to it. */
        ServiceDetail: components["schemas"]["ServiceSummary"] & {
            /** @description The services that call it. */
            clients: string[];
            /** @description From where on metrics count as failing. */
            limits: {
                [key: string]: components["schemas"]["MetricLimit"];
            };
            /** @description The services that it calls. */
            servers: string[];
            /** @description Its objectives. */
            slo: components["schemas"]["Objective"][];
        };
        /** @description A service at its last closed row. */
        ServiceSummary: {
            /**
             * Format: double
             * @description Seconds since then, by the clock of the data; null for data without a clock.
             */
            age_seconds?: number | null;
            /**
             * Format: double
             * @description Share of the known minutes of the last 24 h in which it was not failing.
             */
            availability?: number | null;
            cannot_tell?: null | components["schemas"]["WhyUnknown"];
            failing_since?: null | components["schemas"]["Time"];
            /** @description The numbers that people look at first. */
            gauges: components["schemas"]["Gauges"];
            /**
             * Format: double
             * @description 1 for well to 0 for down; null where the metrics do not say.
             */
            health?: number | null;
            /** @description What became of its warnings and failures. */
            ledger: components["schemas"]["Ledger"];
            level?: null | components["schemas"]["Level"];
            /** @description The row by metric; null where missing. */
            metrics: {
                [key: string]: number | null;
            };
            missing?: null | components["schemas"]["WhyMissing"];
            /** @description Its name. */
            name: string;
            /**
             * Format: double
             * @description Probability that a failure begins in the prediction period; null where the model cannot tell.
             */
            probability?: number | null;
            silenced_until?: null | components["schemas"]["Time"];
            /** @description How it stands. */
            status: components["schemas"]["Standing"];
            time?: null | components["schemas"]["Time"];
            /** @description Id of the warning that fires. */
            warning?: string | null;
        };
        /** @description Who calls. */
        Session: {
            /** @description Name of the token. */
            name?: string | null;
            /** @description Whether the caller may read. */
            reads: boolean;
            role?: null | components["schemas"]["Role"];
        };
        /** @description A share and where it lies with 95 % confidence, by drawing whole days: failures of one day are not independent. */
        Share: {
            /**
             * Format: double
             * @description Upper end; 1 while there are too few days to say.
             */
            high: number;
            /**
             * Format: double
             * @description Lower end; 0 while there are too few days to say.
             */
            low: number;
            /**
             * Format: double
             * @description The share; null where nothing was counted.
             */
            value?: number | null;
        };
        /** @description A fault to be injected, in short. */
        ShortFault: {
            /** @description `cpu_spike`, `memory_leak`, `network_latency`, `service_kill`, `cascade`, or a kind of `/api/v1/chaos`. */
            chaos_type: string;
            /**
             * Format: double
             * @description Seconds until its recovery begins.
             */
            duration: number;
            /** @description The service that it strikes. */
            target_service: string;
        };
        /** @description A prediction in short. */
        ShortPrediction: {
            /**
             * Format: double
             * @description Share of the evidence that speaks for this kind; null without a warning.
             */
            confidence?: number | null;
            /**
             * Format: double
             * @description Probability in per cent, 0 to 100; null where the model cannot tell.
             */
            incident_probability?: number | null;
            predicted_incident?: null | components["schemas"]["FailureKind"];
            /** @description What to do. */
            recommendations: string[];
            risk_level?: null | components["schemas"]["Level"];
            /** @description The service. */
            service: string;
        };
        /** @description A service in short. */
        ShortService: {
            /**
             * Format: double
             * @description Seconds since these numbers; null for data without a clock.
             */
            age_seconds?: number | null;
            /**
             * Format: double
             * @description Share of the pods that take requests, or of the known minutes of the last 24 h without a failure.
             */
            availability?: number | null;
            /**
             * Format: double
             * @description Share of the processor in use.
             */
            cpu?: number | null;
            /**
             * Format: double
             * @description Share of the requests that failed.
             */
            error_rate?: number | null;
            /**
             * Format: double
             * @description Milliseconds.
             */
            latency?: number | null;
            /**
             * Format: double
             * @description Share of the memory in use.
             */
            memory?: number | null;
            /** @description How it stands. */
            status: components["schemas"]["Standing"];
            /**
             * Format: double
             * @description Requests a second.
             */
            throughput?: number | null;
        };
        /** @description A token to be exchanged. */
        SignIn: {
            /** @description The token. */
            token: string;
        };
        /** @description A service of which an operator wants no warnings for a while. They are still raised and judged, and marked. */
        Silence: {
            /** @description Whose token asked for it; likewise. */
            by?: string | null;
            /** @description What was said of it; null where it did not come by this API. */
            comment?: string | null;
            /** @description The service. */
            service: string;
            /** @description Until when, in row time. */
            until: components["schemas"]["Time"];
        };
        /** @description A silence of Alertmanager. */
        SilenceNote: {
            /** @description Why. */
            comment: string;
            /** @description Who made it. */
            created_by: string;
            /**
             * Format: date-time
             * @description Until when it holds.
             */
            ends_at?: string | null;
            /** @description Its id. */
            id: string;
        };
        /** @description A silence to be. Exactly one of `until` and `minutes` is given. */
        SilenceRequest: {
            /** @description Why, for the log. */
            comment?: string;
            /**
             * Format: int32
             * @description For how long from the last row on; 0 ends a silence.
             */
            minutes?: number | null;
            /** @description The service. */
            service: string;
            until?: null | components["schemas"]["Time"];
        };
        /** @description The silences that hold. */
        Silences: {
            /** @description By service, in order of name. */
            items: components["schemas"]["Silence"][];
        };
        /** @description A past warning that looked alike. */
        SimilarWarning: {
            /**
             * Format: double
             * @description Minutes from it to the failure's onset.
             */
            lead_minutes?: number | null;
            outcome?: null | components["schemas"]["Outcome"];
            /** @description When it was raised. */
            time: components["schemas"]["Time"];
            /** @description Its id. */
            warning: string;
        };
        /** @description A source of metrics. */
        SourceInfo: {
            heard?: null | components["schemas"]["Time"];
            last_row?: null | components["schemas"]["Time"];
            /** @description Its name. */
            name: string;
            /** @description Why it does not answer. */
            reason?: string | null;
            /**
             * Format: int64
             * @description Rows that it sent since the start.
             */
            rows: number;
            /**
             * Format: int64
             * @description Samples that it sent since the start.
             */
            samples: number;
            /** @description Its state. */
            status: components["schemas"]["SourceWord"];
        };
        /**
         * @description State of a source.
         * @enum {string}
         */
        SourceWord: "up" | "down" | "partial";
        /** @description A range and what is taken where nothing is given. */
        Span: {
            /**
             * Format: double
             * @description Least.
             */
            least: number;
            /**
             * Format: double
             * @description Most.
             */
            most: number;
            /**
             * Format: double
             * @description Usual.
             */
            usual: number;
        };
        /**
         * @description How a service stands, in a word: the first that fits.
         * @enum {string}
         */
        Standing: "failing" | "warning" | "unknown" | "at_risk" | "ok";
        /** @description How the whole service is. */
        Status: {
            /** @description How the main model stands beside its budget. */
            budget: components["schemas"]["BudgetInfo"];
            /** @description Live streams that are open. */
            clients: number;
            /** @description What the engine refused or met since it first began. */
            counters: {
                [key: string]: number;
            };
            /** @description What counts as failing. */
            failure_rule: string;
            last_row?: null | components["schemas"]["Time"];
            /** @description How often each limit of the HTTP server was hit since the start. */
            limits_hit: {
                [key: string]: number;
            };
            /** @description Metrics of a row, in order. */
            metrics: components["schemas"]["MetricInfo"][];
            /** @description `forewarn`. */
            name: string;
            next_minute?: null | components["schemas"]["Time"];
            /** @description The clock of the data: simulated time where a simulation is the source, else the time of day. */
            now: components["schemas"]["Time"];
            /**
             * Format: double
             * @description Minutes that the main model looks at.
             */
            observation_minutes?: number | null;
            /**
             * Format: double
             * @description Minutes that it speaks about.
             */
            period_minutes?: number | null;
            /** @description Whether models are loaded and the journal is replayed. */
            ready: boolean;
            /** @description Why the configuration could not be read again the last time; the one before holds. */
            reload_error?: string | null;
            /**
             * Format: int64
             * @description Records of the journal that were replayed at the start.
             */
            replayed: number;
            /**
             * Format: double
             * @description Seconds since then, by the clock of the data; null for data without a clock.
             */
            row_age_seconds?: number | null;
            /**
             * Format: int64
             * @description Number of the last event; null before the first.
             */
            seq?: number | null;
            /** @description Whether faults can be injected. */
            simulator: boolean;
            /** @description The sources. */
            sources: components["schemas"]["SourceInfo"][];
            /** @description When the service was started. */
            started: components["schemas"]["Time"];
            /**
             * Format: double
             * @description Seconds from one row to the next.
             */
            step_seconds: number;
            /** @description The disk. */
            store: components["schemas"]["StoreInfo"];
            /** @description Its version. */
            version: string;
        };
        /** @description The disk. */
        StoreInfo: {
            /** @description Bytes that wait in memory. */
            bytes: number;
            /** @description Whether it fails: scoring goes on, and what could not be written waits in memory. */
            degraded: boolean;
            /** @description Why. */
            error?: string | null;
            /**
             * Format: int64
             * @description Number of the next record of the journal.
             */
            next_record: number;
            /**
             * Format: int64
             * @description Records that wait in memory.
             */
            pending_records: number;
        };
        /** @description Where an incident may have begun. */
        Suspect: {
            /** @description The service. */
            service: string;
            /**
             * Format: double
             * @description How much speaks for it; the shares of an incident add up to 1.
             */
            share: number;
        };
        /**
         * @description What kind of target it is.
         * @enum {string}
         */
        TargetKind: "alertmanager" | "webhook" | "remote_write";
        /** @description Where warnings and scores go. */
        TargetList: {
            /** @description In the order of the configuration. */
            items: components["schemas"]["TargetStatus"][];
        };
        /** @description How a target does, since the start of the service. */
        TargetStatus: {
            /**
             * Format: int64
             * @description Those that arrived; an Alertmanager is told of an alert many times.
             */
            delivered: number;
            /**
             * Format: int64
             * @description Those that were dropped, because too many waited or they waited too long.
             */
            dropped: number;
            /**
             * Format: int64
             * @description Requests that failed and were, or are to be, repeated.
             */
            failed_requests: number;
            /** @description Whether the last request arrived; `None` before the first. */
            is_up?: boolean | null;
            /** @description Its kind. */
            kind: components["schemas"]["TargetKind"];
            /** @description What went wrong last, in the server's words where it had any. */
            last_error?: string | null;
            /**
             * Format: date-time
             * @description When a request last arrived.
             */
            last_success?: string | null;
            /** @description Alerts that this Alertmanager has silenced or inhibited. */
            muted: components["schemas"]["MutedAlert"][];
            /** @description Its name. */
            name: string;
            /**
             * Format: int64
             * @description Alerts, notifications or samples that the server refused.
             */
            refused: number;
            /**
             * Format: int64
             * @description Requests that arrived.
             */
            requests: number;
            /** @description Alerts, notifications or samples that wait. */
            waiting: number;
        };
        /** Format: date-time */
        Time: string;
        /** @description A service that may follow. */
        Victim: {
            /**
             * Format: double
             * @description How likely it follows.
             */
            probability: number;
            /** @description The service. */
            service: string;
        };
        /** @description A warning, from its first minute to what became of it. */
        Warning: {
            /** @description Whether an operator has seen it. */
            acknowledged: boolean;
            acknowledged_at?: null | components["schemas"]["Time"];
            /** @description Whether an operator acted on it. */
            acted: boolean;
            acted_at?: null | components["schemas"]["Time"];
            /** @description The largest contributions to the score when it was raised. */
            evidence: components["schemas"]["Evidence"][];
            /** @description Its id. */
            id: string;
            /** @description The incident that it belongs to. */
            incident?: string | null;
            /** @description What kind of failure it looks like. */
            kind: components["schemas"]["FailureKind"];
            /**
             * Format: double
             * @description Share of the evidence that speaks for this kind.
             */
            kind_confidence: number;
            /**
             * Format: double
             * @description Minutes from it to the failure's onset, if that came.
             */
            lead_minutes?: number | null;
            /** @description How serious it was when it was raised. */
            level: components["schemas"]["Level"];
            /**
             * Format: double
             * @description Expected minutes from then until the failure.
             */
            minutes_to_failure?: number | null;
            /** @description Which model. */
            model: string;
            outcome?: null | components["schemas"]["Outcome"];
            /**
             * Format: double
             * @description Probability that raised it.
             */
            probability?: number | null;
            /** @description What may help. */
            recommendation: components["schemas"]["Advice"];
            resolved_at?: null | components["schemas"]["Time"];
            /** @description Of which service. */
            service: string;
            /** @description Whether an operator had asked for silence. */
            silenced: boolean;
            /** @description Row time at which it was raised. */
            since: components["schemas"]["Time"];
            /** @description Whether it fires. */
            state: components["schemas"]["WarningWord"];
            /**
             * Format: double
             * @description Probability from which on an alarm was raised.
             */
            threshold: number;
        };
        /**
         * @description Warnings of which state.
         * @enum {string}
         */
        WarningFilter: "firing" | "resolved" | "all";
        /**
         * @description Whether a warning fires.
         * @enum {string}
         */
        WarningWord: "firing" | "resolved";
        /** @enum {string} */
        WhyMissing: "source_down" | "service_silent" | "no_traffic" | "out_of_range";
        /** @enum {string} */
        WhyUnknown: "source_down" | "too_few_rows" | "missing_row" | "no_traffic" | "far_from_training";
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
