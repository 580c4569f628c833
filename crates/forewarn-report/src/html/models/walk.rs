//! Quality over time.

use crate::drawing::svg::{Anchor, Scale, Svg, escape, nice_ticks, time_ticks};
use crate::html::page::Page;
use crate::text::*;
use crate::view::View;
use forewarn_eval::{FoldFigures, WalkForwardReport, WalkModel};

/// Most models that are drawn, those that did best on validation.
const DRAWN: usize = 4;

impl View<'_> {
    pub(crate) fn walk_section(&self, page: &mut Page) {
        let Some(walk) = self.walk_forward.as_ref().filter(|walk| !walk.folds.is_empty()) else { return };
        page.heading("Quality over time, and whether refitting pays");
        page.raw(&format!(
            "<p>Every model is refitted {} on all data before, its threshold chosen on the time right before, and the days \
             until the next fit are scored. Solid: PR-AUC refitted, with its interval where a fold has enough days to draw \
             from; dashed: the model as it was fitted once, before the first fold; dotted: no skill.</p>\n\
             <div class=\"multiples wider\">\n",
            every(walk.refit_days)
        ));
        let mut models: Vec<&WalkModel> = walk.models.iter().collect();
        let on_validation = |name: &str| {
            let found = self.models.iter().find(|model| model.name == name);
            found.map_or(0.0, |model| model.validation.pr_auc)
        };
        models.sort_by(|a, b| on_validation(&b.model).total_cmp(&on_validation(&a.model)));
        for model in models.iter().take(DRAWN) {
            page.raw(&format!(
                "<figure><figcaption><b>{}</b>refitted {}, fitted once {}</figcaption>\n{}</figure>\n",
                escape(&model.model),
                or_dash(model.refitted_total.pr_auc, share),
                or_dash(model.fixed_total.pr_auc, share),
                over_time(walk, model)
            ));
        }
        page.raw("</div>\n");
        let cells = |refitted: &FoldFigures, once: &FoldFigures| {
            vec![
                or_dash(refitted.pr_auc, share),
                or_dash(once.pr_auc, share),
                or_dash(refitted.event_recall, percent),
                or_dash(once.event_recall, percent),
                or_dash(refitted.false_alarms_per_service_day, quantity),
                or_dash(once.false_alarms_per_service_day, quantity),
            ]
        };
        let rows: Vec<_> = models
            .iter()
            .map(|model| {
                let mut row = cells(&model.refitted_total, &model.fixed_total);
                row.push(or_dash(model.gain.value, share));
                row.push(range(model.gain.interval, share));
                ("", model.model.clone(), row)
            })
            .collect();
        page.table(
            &[
                "Model",
                "PR-AUC refitted",
                "once",
                "Detected refitted",
                "once",
                "False alarms / day refitted",
                "once",
                "Gain in PR-AUC",
                "Interval",
            ],
            &rows,
        );
        let real: Vec<&str> =
            walk.models.iter().filter(|model| model.gain_is_real).map(|model| model.model.as_str()).collect();
        page.raw(&format!(
            "<p>{} All folds together; a refitted model is ranked across folds as it would have run.</p>\n",
            if real.is_empty() {
                "Refitting makes no difference that can be told from chance here.".to_owned()
            } else {
                format!("The difference that refitting makes is real for {}.", escape(&real.join(", ")))
            }
        ));
    }
}

/// PR-AUC of each fold.
fn over_time(walk: &WalkForwardReport, model: &WalkModel) -> String {
    let (width, height) = (380.0, 210.0);
    let (left, right, top, bottom) = (46.0, width - 12.0, 26.0, height - 30.0);
    let mut svg = Svg::new(width, height);
    let (Some(first), Some(last)) = (walk.folds.first(), walk.folds.last()) else { return String::new() };
    let x = Scale::new((first.start.millis() as f64, last.end.millis() as f64), (left, right));
    let high = |figures: &FoldFigures| {
        figures.pr_auc_interval.map(|interval| interval.high).or(figures.pr_auc).unwrap_or_default()
    };
    let once = |figures: &FoldFigures| figures.pr_auc.unwrap_or_default();
    let guess = |index: usize| {
        let fold = &walk.folds[index];
        fold.positives as f64 / fold.windows.max(1) as f64
    };
    let highest = model.refitted.iter().map(high).chain(model.fixed.iter().map(once)).fold(0.01, f64::max);
    let y = Scale::new((0.0, (highest * 1.05).min(1.0)), (bottom, top));
    for tick in nice_ticks(0.0, (highest * 1.05).min(1.0), 4) {
        svg.line("grid", (left, y.at(tick)), (right, y.at(tick)));
        svg.text("tick", (left - 6.0, y.at(tick) + 4.0), Anchor::End, &quantity(tick));
    }
    for (time, label) in time_ticks(first.start, last.end, 5) {
        let at = x.time(time);
        let anchor = if right - at < 16.0 { Anchor::End } else { Anchor::Middle };
        svg.text("tick", (at, bottom + 18.0), anchor, &label);
    }
    svg.text("axis", (4.0, 14.0), Anchor::Start, "PR-AUC");
    // A fold is a level stretch; a fold without failures has no PR-AUC, and leaves a gap.
    let mut stretch = |class: &str, index: usize, value: f64| {
        let fold = &walk.folds[index];
        svg.line(class, (x.time(fold.start), y.at(value)), (x.time(fold.end), y.at(value)));
    };
    for index in 0..walk.folds.len() {
        stretch("guess", index, guess(index));
        if let Some(value) = model.fixed[index].pr_auc {
            stretch("once", index, value);
        }
        if let Some(value) = model.refitted[index].pr_auc {
            stretch("refitted", index, value);
        }
    }
    for (fold, figures) in walk.folds.iter().zip(&model.refitted) {
        let Some(interval) = figures.pr_auc_interval else { continue };
        let middle = f64::midpoint(x.time(fold.start), x.time(fold.end));
        svg.line("interval thin", (middle, y.at(interval.low)), (middle, y.at(interval.high)));
    }
    svg.finish("any", &format!("PR-AUC of {} over time, refitted and fitted once", model.model))
}
