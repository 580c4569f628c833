use crate::Pictures;
use forewarn_eval::Report;
use std::ops::Deref;

/// A [`Report`] for people. Its JSON is [`Report::to_json`].
pub trait Present {
    /// What the [chosen](Report::chosen) model did on test at the budget of false alarms, such as
    /// *At one false alarm per service and week: 33 of 118 failures detected, a median 3 minutes ahead; on test the rate
    /// was 0.6.*
    /// Where validation proves no budget, at the model's own threshold.
    fn headline(&self) -> String;

    /// The report for a terminal, at most 112 columns wide: a headline, what was asked of which data, one row a model
    /// (best PR-AUC first), and what the columns mean. Text from files comes without control characters.
    fn to_table(&self) -> String;

    /// The report as one HTML page that needs nothing else: no network, no script, its drawings inside. It follows
    /// the reader's choice of a light or dark screen and reads well on a phone. Text from files (names of services
    /// and metrics, notes) is escaped.
    fn to_html(&self, pictures: &Pictures) -> String;
}

impl Present for Report {
    fn headline(&self) -> String {
        View(self).headline()
    }

    fn to_table(&self) -> String {
        View(self).to_table()
    }

    fn to_html(&self, pictures: &Pictures) -> String {
        View(self).to_html(pictures)
    }
}

/// A report, with what is said of it in more than one place.
pub(crate) struct View<'a>(pub(crate) &'a Report);

impl Deref for View<'_> {
    type Target = Report;

    fn deref(&self) -> &Report {
        self.0
    }
}
