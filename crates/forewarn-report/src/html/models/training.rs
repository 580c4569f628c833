//! How fits went, epoch by epoch.

use crate::drawing::svg::{Anchor, Scale, Svg, escape, nice_ticks};
use crate::html::page::Page;
use crate::view::View;
use crate::{table::name_of, text::*};
use forewarn_core::{Epoch, History};
use forewarn_eval::ModelReport;

impl View<'_> {
    pub(crate) fn training_section(&self, page: &mut Page) {
        let mut models = self.by_validation();
        models.retain(|model| model.training.iter().any(|fit| !fit.epochs.is_empty()));
        if models.is_empty() {
            return;
        }
        page.heading("How fitting went");
        page.raw(
            "<p>Above, PR-AUC on validation after each epoch; below, the mean loss on training windows while it lasted. One line a network; \
             the dot is the epoch whose weights were kept. A loss that goes on falling while PR-AUC falls too is a network that learns its \
             training windows by heart.</p>\n<div class=\"multiples wider\">\n",
        );
        for model in &models {
            page.raw(&format!(
                "<figure><figcaption><b>{}</b>{}, best PR-AUC on validation {}</figcaption>\n{}</figure>\n",
                escape(&name_of(model)),
                counted(model.training.len(), "network", "networks"),
                best_of(&model.training).collect::<Vec<_>>().join(", "),
                epochs(model)
            ));
        }
        page.raw("</div>\n");
    }
}

/// What was best on validation, fit by fit.
fn best_of(fits: &[History]) -> impl Iterator<Item = String> {
    fits.iter().map(|fit| or_dash(best(fit).map(|epoch| epoch.validation_pr_auc), share))
}

fn best(fit: &History) -> Option<&Epoch> {
    fit.epochs.get(fit.best_epoch.checked_sub(1)?)
}

/// PR-AUC and loss over the epochs.
fn epochs(model: &ModelReport) -> String {
    let (width, height) = (380.0, 300.0);
    let (left, right) = (52.0, width - 12.0);
    let mut svg = Svg::new(width, height);
    let most = model.training.iter().map(|fit| fit.epochs.len()).max().unwrap_or(1);
    let x = Scale::new((1.0, most as f64), (left, right));
    let ticks = nice_ticks(1.0, most as f64, 6);
    for &tick in ticks.iter().filter(|tick| tick.fract() == 0.0) {
        svg.text("tick", (x.at(tick), height - 22.0), Anchor::Middle, &quantity(tick));
    }
    svg.text("axis", (right, height - 4.0), Anchor::End, "epoch");
    let mut panel = |name: &str, (top, bottom): (f64, f64), of: fn(&Epoch) -> f64| {
        let values =
            || model.training.iter().flat_map(|fit| &fit.epochs).map(of).filter(|value| value.is_finite());
        let (low, high) =
            (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
        if low > high {
            return;
        }
        let y = Scale::new((low, high), (bottom, top + 22.0));
        for tick in nice_ticks(low, high, 3) {
            svg.line("grid", (left, y.at(tick)), (right, y.at(tick)));
            svg.text("tick", (left - 6.0, y.at(tick) + 4.0), Anchor::End, &quantity(tick));
        }
        svg.line("base", (left, bottom), (right, bottom));
        svg.text("axis", (4.0, top + 10.0), Anchor::Start, name);
        for (number, fit) in model.training.iter().enumerate() {
            let class = format!("s{}{}", number % 8, if number >= 8 { " again" } else { "" });
            let at = |(epoch, found): (f64, &Epoch)| (x.at(epoch), y.at(of(found)));
            let numbered = (1..).map(f64::from).zip(&fit.epochs).filter(|(_, found)| of(found).is_finite());
            svg.polyline(&format!("curve {class}"), &numbered.map(at).collect::<Vec<_>>());
            if let Some(found) = best(fit) {
                svg.circle(&format!("best {class}"), at((fit.best_epoch as f64, found)), 4.0);
            }
        }
    };
    panel("PR-AUC on validation", (4.0, 130.0), |epoch| epoch.validation_pr_auc);
    panel("loss on train", (142.0, height - 40.0), |epoch| epoch.loss);
    svg.finish("any", &format!("PR-AUC and loss of {} over the epochs", name_of(model)))
}
