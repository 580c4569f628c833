//! Figures of anomaly detection, to compare with others.

use crate::html::page::Page;
use crate::view::View;
use crate::{table::name_of, text::*};
use forewarn_eval::IntervalEstimate;
use forewarn_eval::{ModelReport, SecondaryFigures};

impl View<'_> {
    pub(crate) fn secondary_section(&self, page: &mut Page) {
        let models: Vec<(&ModelReport, &SecondaryFigures)> = self
            .ranked()
            .into_iter()
            .filter_map(|model| model.secondary.as_ref().map(|found| (model, found)))
            .collect();
        if models.is_empty() {
            return;
        }
        page.heading("To compare with others");
        page.raw(
            "<p>Figures that are published for the detection of anomalies, adapted to early warning. They are not what a model should be \
             chosen by: a failure is detected or it is not.</p>\n",
        );
        let rows: Vec<_> = models
            .iter()
            .flat_map(|(model, found)| {
                let values = figures(found).map(|estimate| or_dash(estimate.value, share)).to_vec();
                let intervals = figures(found).map(|estimate| range(estimate.interval, share)).to_vec();
                [("", name_of(model), values), ("reference", "interval".to_owned(), intervals)]
            })
            .collect();
        page.table(
            &[
                "Model",
                "Range precision",
                "Range recall",
                "Affiliation precision",
                "Affiliation recall",
                "VUS-PR",
                "NAB score",
            ],
            &rows,
        );
        page.raw(
            "<p class=\"note\">Range: runs of windows rather than single ones (Tatbul et al. 2018). Affiliation: nearness to the windows \
             before failures; random alarms get some 0.5 (Huet et al. 2022). VUS-PR: area under precision and recall with labels that fade out \
             before a failure's windows (Paparrizos et al. 2022). NAB: 100 at best, 0 for silence (Lavin and Ahmad 2015). Point \
             adjustment, under which random scores beat trained models, is not offered.</p>\n",
        );
    }
}

fn figures(found: &SecondaryFigures) -> [IntervalEstimate; 6] {
    [
        found.range_precision,
        found.range_recall,
        found.affiliation_precision,
        found.affiliation_recall,
        found.vus_pr,
        found.nab,
    ]
}
