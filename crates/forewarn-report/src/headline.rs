use crate::text::*;
use crate::view::View;
use forewarn_eval::ModelReport;

impl View<'_> {
    /// What the [chosen](Self::chosen) model did on test, in one sentence, such as
    /// `12 of 34 failures were detected, a median 3 minutes ahead, at 1.5 false alarms a day.`
    #[must_use]
    pub(crate) fn headline(&self) -> String {
        let Some(model) = self.chosen() else { return "No model was evaluated.".to_owned() };
        let detected = match (model.episodes_caught, self.test.episodes) {
            (_, 0) => "No failure could have been detected".to_owned(),
            (0, all) => format!("None of {} was detected", counted(all, "failure", "failures")),
            (1, all) => format!("1 of {} was detected", counted(all, "failure", "failures")),
            (caught, all) => {
                format!("{} of {} were detected", count(caught), counted(all, "failure", "failures"))
            }
        };
        let ahead = model.lead_time_minutes.median.map_or_else(String::new, |minutes| {
            let kind = if model.episodes_caught == 1 { "" } else { "a median " };
            let unit = if minutes == 1.0 { "minute" } else { "minutes" };
            format!(", {kind}{} {unit} ahead", quantity(minutes))
        });
        format!("{detected}{ahead}, at {}.", self.false_alarm_rate(model))
    }

    /// `1.5 false alarms a day`, for several services `1.5 false alarms a day per service`.
    fn false_alarm_rate(&self, model: &ModelReport) -> String {
        let rate = quantity(model.false_alarms_per_service_day);
        let alarms = if rate == "1" { "false alarm" } else { "false alarms" };
        let per_service = if self.input.services > 1 { " per service" } else { "" };
        match model.false_alarms {
            0 => "no false alarm".to_owned(),
            _ => format!("{rate} {alarms} a day{per_service}"),
        }
    }

    /// The question that models answer, with this report's numbers.
    pub(crate) fn question(&self) -> String {
        let window = &self.window;
        let minutes = |steps: usize| {
            let minutes = steps as f64 * window.step_minutes;
            format!("{} {}", quantity(minutes), if minutes == 1.0 { "minute" } else { "minutes" })
        };
        let what = match self.target {
            forewarn_core::Target::Onset => "does a failure begin",
            forewarn_core::Target::Active => "is the failure rule satisfied",
        };
        let after = match window.lead {
            0 => format!("in the next {}", minutes(window.period)),
            lead => format!("in the {} that follow after {}", minutes(window.period), minutes(lead)),
        };
        format!(
            "Having seen the last {} of a service's metrics: {what} {after}?",
            minutes(window.observation)
        )
    }
}
