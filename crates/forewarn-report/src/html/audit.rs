//! What an audit for leaks found.

use crate::drawing::svg::escape;
use crate::html::page::Page;
use crate::view::View;
use forewarn_eval::Finding;

impl View<'_> {
    pub(crate) fn audit_section(&self, page: &mut Page) {
        if self.audit.is_empty() {
            return;
        }
        page.heading("Is it too good to be true?");
        page.raw(&format!("<p>{}</p>\n<ul class=\"audit\">\n", escape(&self.audit_summary())));
        for check in &self.audit {
            let (class, word) = match check.finding {
                Finding::Clean => ("clean", "clean"),
                Finding::Suspect => ("suspect", "suspect"),
            };
            let about = check.model.as_ref().map_or_else(String::new, |model| format!("{model}, "));
            page.raw(&format!(
                "<li class=\"{class}\"><b>{word}</b> <span>{}: {}.</span></li>\n",
                escape(&format!("{about}{}", check.name)),
                escape(&check.text)
            ));
        }
        page.raw("</ul>\n<p class=\"note\">An audit finds only what it looks for: a clean verdict is not a proof.</p>\n");
    }
}
