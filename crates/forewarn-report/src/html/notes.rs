//! What a reader should know besides.

use crate::drawing::svg::escape;
use crate::html::page::Page;
use crate::text::*;
use crate::view::View;

impl View<'_> {
    pub(crate) fn notes_section(&self, page: &mut Page) {
        page.heading("Notes");
        let notes: Vec<&String> = self.input.notes.iter().chain(&self.notes).collect();
        if !notes.is_empty() {
            page.raw("<ul class=\"notes\">\n");
            for note in notes {
                page.raw(&format!("<li>{}</li>\n", escape(note)));
            }
            page.raw("</ul>\n");
        }
        page.raw(
            "<dl class=\"plain\">\n<dt>PR-AUC</dt><dd>Area under the precision-recall curve (average precision). No skill gives the \
             prevalence, the share of windows before a failure, so read the two side by side.</dd>\n\
             <dt>ROC-AUC</dt><dd>How often a window before a failure scores higher than one that is not. The no-skill baseline gets 0.5. Where \
             failures are rare it looks good long before alarms are.</dd>\n\
             <dt>Alarm</dt><dd>Raised when the score reaches the threshold, then silent for the refractory period. Right when a \
             failure begins in the prediction period after it, late in the middle of a failure, false otherwise.</dd>\n\
             <dt>Brier</dt><dd>Mean squared difference between the score and what happened. Lower is better.</dd>\n</dl>\n",
        );
        page.raw(&format!(
            "<p class=\"note\">{} a model sees in each row: {}.</p>\n",
            counted(self.features.len(), "feature", "features"),
            escape(&self.features.join(", "))
        ));
    }
}
