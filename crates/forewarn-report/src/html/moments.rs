//! Failures and alarms minute by minute.

use crate::drawing::figures::Screen;
use crate::drawing::svg::escape;
use crate::drawing::timeline::{drawn, drawn_small};
use crate::html::page::Page;
use crate::view::View;
use crate::{Pictures, Timeline, table::name_of, text::*};
use forewarn_eval::WorstKind;

impl View<'_> {
    pub(crate) fn episode_section(&self, page: &mut Page, pictures: &Pictures) {
        let Some(timeline) = &pictures.timeline else { return };
        page.heading("One failure, minute by minute");
        page.raw(&format!(
            "<p>{}, {} to {}, with the score of {}. Each metric is drawn from its lowest to its highest value. The shaded time \
             is the failure; triangles are alarms.{}</p>\n<figure>\n",
            escape(&timeline.service),
            moment(timeline.start),
            clock(timeline.end),
            escape(&timeline.model),
            if self.target == forewarn_core::Target::Onset {
                " In the middle of a failure there is nothing to predict, so there is no score."
            } else {
                ""
            },
        ));
        for screen in [Screen::Wide, Screen::Narrow] {
            page.raw(&drawn(timeline, screen));
        }
        page.raw("</figure>\n");
    }

    /// Where the model that validation chose was most wrong, with the metrics around it.
    pub(crate) fn worst_section(&self, page: &mut Page, pictures: &Pictures) {
        let Some((model, worst)) =
            self.chosen().and_then(|model| model.operation.as_ref().map(|found| (model, &found.worst)))
        else {
            return;
        };
        let kinds = [
            ("Missed failures, the lowest scores first", &worst.misses, WorstKind::Miss),
            ("False alarms, the highest scores first", &worst.false_alarms, WorstKind::FalseAlarm),
        ];
        if kinds.iter().all(|(_, cases, _)| cases.is_empty()) {
            return;
        }
        page.heading("Where it was most wrong");
        page.raw(&format!(
            "<p>Of {}: missed failures with the lowest scores before them, and false alarms with the highest. What to look at first.</p>\n",
            escape(&name_of(model))
        ));
        for (title, cases, kind) in kinds.into_iter().filter(|(_, cases, _)| !cases.is_empty()) {
            page.raw(&format!("<h3>{}</h3>\n<div class=\"multiples wider\">\n", escape(title)));
            for case in cases {
                page.raw(&format!(
                    "<figure><figcaption><b>{}, {}</b>highest score {}</figcaption>\n",
                    escape(&case.service),
                    moment(case.time),
                    share(f64::from(case.score.get()))
                ));
                let is_of = |picture: &&(WorstKind, Timeline)| {
                    picture.0 == kind
                        && picture.1.service == case.service
                        && picture.1.mark.time() == case.time
                };
                if let Some((_, timeline)) = pictures.worst.iter().find(is_of) {
                    page.raw(&drawn_small(timeline));
                }
                page.raw("</figure>\n");
            }
            page.raw("</div>\n");
        }
    }
}
