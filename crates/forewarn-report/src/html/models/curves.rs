//! Precision over recall, and how early warnings came.

use crate::drawing::figures::{self, Screen};
use crate::drawing::svg::escape;
use crate::html::page::Page;
use crate::view::View;
use crate::{CurveKind, Pictures, PrCurve, table::name_of, text::*};

/// Lead times are drawn for at most this many models.
const HISTOGRAMS: usize = 3;

impl View<'_> {
    pub(crate) fn curve_section(&self, page: &mut Page, pictures: &Pictures) {
        if pictures.curves.is_empty() {
            return;
        }
        let mut curves: Vec<(&PrCurve, String)> = Vec::new();
        for kind in [CurveKind::Model, CurveKind::Ceiling] {
            let mut of_kind: Vec<&PrCurve> =
                pictures.curves.iter().filter(|curve| curve.kind == kind).collect();
            of_kind.sort_by(|a, b| b.pr_auc.total_cmp(&a.pr_auc));
            let classes = of_kind.into_iter().enumerate();
            curves.extend(classes.map(|(index, curve)| (curve, figures::curve_class(kind, index))));
        }
        page.heading("How precise, at which recall");
        page.raw(
            "<p>Lowering the threshold finds more of the windows before a failure (recall, to the right) at the price of more \
             that are not (precision, downwards). The area under a curve is its PR-AUC.</p>\n<figure>\n",
        );
        for screen in [Screen::Wide, Screen::Narrow] {
            page.raw(&figures::precision_recall(&curves, self.test.prevalence, screen));
        }
        page.raw("<ul class=\"legend\">\n");
        for (curve, class) in &curves {
            page.key(class, &curve.name, &share(curve.pr_auc));
        }
        page.key("dots", "no skill (prevalence)", &share(self.test.prevalence));
        page.raw("</ul>\n</figure>\n");
    }

    pub(crate) fn lead_section(&self, page: &mut Page) {
        let mut models = self.by_validation();
        models.retain(|model| model.episodes_caught > 0);
        if models.is_empty() {
            return;
        }
        page.heading("How early the warning came");
        page.raw(
            "<p>Failures by the minutes from the first alarm before them to their onset. Missed failures are not \
             included.</p>\n<div class=\"multiples\">\n",
        );
        for model in models.into_iter().take(HISTOGRAMS) {
            let lead = &model.lead_time_minutes;
            let minutes = |value| or_dash(value, |minutes| format!("{}\u{a0}min", quantity(minutes)));
            page.raw(&format!(
                "<figure><figcaption><b>{}</b>{} of {} detected; mean {}, median {}</figcaption>\n{}</figure>\n",
                escape(&name_of(model)),
                count(model.episodes_caught),
                count(self.test.episodes),
                minutes(lead.mean),
                minutes(lead.median),
                figures::lead_times(self, model),
            ));
        }
        page.raw("</div>\n");
    }
}
