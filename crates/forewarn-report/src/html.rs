//! The report as a page.

use crate::Pictures;
use crate::drawing::svg::escape;
use crate::html::page::Page;
use crate::view::View;

mod alarms;
mod audit;
mod data;
mod head;
mod models;
mod moments;
mod notes;
pub(crate) mod page;
mod secondary;
mod services;

const STYLE: &str = include_str!("html/style.css");

impl View<'_> {
    /// The report as one HTML page that needs nothing else: no network, no script, its drawings inside. It follows the
    /// reader's choice of a light or dark screen and reads well on a phone.
    ///
    /// Text from files (names of services and metrics, notes) is escaped.
    #[must_use]
    pub(crate) fn to_html(&self, pictures: &Pictures) -> String {
        let mut page = Page::default();
        page.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        page.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        page.raw(&format!("<title>forewarn: {}</title>\n", escape(&self.input.description)));
        page.raw(&format!("<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n"));
        self.head(&mut page);
        self.model_section(&mut page);
        self.uncertainty_section(&mut page);
        self.curve_section(&mut page, pictures);
        self.reliability_section(&mut page);
        self.timing_section(&mut page);
        self.alarm_section(&mut page);
        self.lead_section(&mut page);
        self.training_section(&mut page);
        self.walk_section(&mut page);
        self.episode_section(&mut page, pictures);
        self.worst_section(&mut page, pictures);
        self.data_section(&mut page, pictures);
        self.service_section(&mut page);
        self.class_section(&mut page);
        self.secondary_section(&mut page);
        self.audit_section(&mut page);
        self.notes_section(&mut page);
        page.raw(&format!(
            "<footer>{}, version {}. All times are UTC.</footer>\n</main>\n</body>\n</html>\n",
            escape(&self.format),
            self.version
        ));
        page.into_html()
    }
}
