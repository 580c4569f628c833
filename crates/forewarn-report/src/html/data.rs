//! The data, how it was split, and what was left out.

use crate::drawing::figures::{self, Screen};
use crate::drawing::svg::escape;
use crate::html::page::Page;
use crate::view::View;
use crate::{Pictures, text::*};

impl View<'_> {
    pub(crate) fn data_section(&self, page: &mut Page, pictures: &Pictures) {
        let input = &self.input;
        page.heading("The data, and what was left out");
        page.raw(&format!(
            "<p>{} ({}): {}, {} from {} to {}; {} and {}. The parts follow one another in time, {} apart, so that no window and \
             no label is shared.{}</p>\n<figure>\n",
            escape(&input.description),
            escape(&input.format),
            counted(input.services, "service", "services"),
            counted(input.rows, "row", "rows"),
            moment(input.start),
            moment(input.end),
            counted(input.missing_cells, "missing cell", "missing cells"),
            counted(input.gap_rows, "gap row", "gap rows"),
            counted(self.split.purge, "step", "steps"),
            if self.split.train.is_some() { "" } else { " The scores were given: what they were trained on is not known here." },
        ));
        for screen in [Screen::Wide, Screen::Narrow] {
            page.raw(&figures::split(self, &pictures.onsets, screen));
        }
        page.raw("<ul class=\"legend\">\n");
        for (name, _) in self.split.parts() {
            page.key(&format!("part {name}"), name, "");
        }
        if !pictures.onsets.is_empty() {
            page.key("onsets", "a failure begins", "");
        }
        page.raw("</ul>\n");
        let not_drawn = figures::services_left_out(&pictures.onsets);
        if not_drawn > 0 {
            page.raw(&format!(
                "<figcaption>{} more services are not drawn.</figcaption>\n",
                count(not_drawn)
            ));
        }
        page.raw("</figure>\n<div class=\"scroll\"><table>\n<thead><tr>");
        for name in [
            "Part",
            "From",
            "To",
            "Windows",
            "Positive",
            "In a failure",
            "Near the end of data",
            "Missing samples",
        ] {
            page.column(name);
        }
        page.raw("</tr></thead>\n<tbody>\n");
        for (name, part) in self.split.parts() {
            let positive = format!(
                "{} ({} %)",
                count(part.positives),
                quantity(100.0 * part.positives as f64 / part.windows.max(1) as f64)
            );
            let cells = [
                moment(part.start),
                moment(part.end),
                count(part.windows),
                positive,
                left_out(part.excluded.map(|excluded| excluded.ongoing)),
                left_out(part.excluded.map(|excluded| excluded.censored)),
                left_out(part.excluded.map(|excluded| excluded.missing)),
            ];
            page.row("", name, &cells, 7);
        }
        page.raw(
            "</tbody></table></div>\n<p class=\"note\">The last three columns are windows without a label. In a failure: the \
             failure is already visible. Near the end of data: what follows is not known. Missing samples: it is not known \
             whether the service failed.</p>\n",
        );
        self.input_services(page);
        if self.test.episodes_out_of_reach > 0 {
            page.raw(&format!(
                "<p class=\"note\">{} in the test time could not have been detected, because no labelled window lies close \
                 enough before; left out of the count above.</p>\n",
                counted(self.test.episodes_out_of_reach, "failure", "failures")
            ));
        }
    }
}

fn left_out(windows: Option<usize>) -> String {
    windows.map_or_else(|| "–".to_owned(), count)
}
