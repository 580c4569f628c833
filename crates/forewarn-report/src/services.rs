//! Every service of the input, with what was left out of it and why, for the terminal and for the page.

use crate::html::page::Page;
use crate::text::*;
use crate::view::View;
use forewarn_eval::{LeftOutReason, ServiceCounts};

/// Most services that the terminal names.
const NAMED: usize = 10;
/// Most services that have a row on the page.
const ROWS: usize = 1000;

impl View<'_> {
    /// What was left out of all services together, by reason; `None` where it was not counted.
    pub(crate) fn left_out_by_reason(&self) -> Option<String> {
        if self.input.by_service.is_empty() {
            return None;
        }
        let mut sums: Vec<(LeftOutReason, usize)> = Vec::new();
        for left in self.input.by_service.iter().flat_map(|counts| &counts.left_out) {
            match sums.iter_mut().find(|sum| sum.0 == left.reason) {
                Some(sum) => sum.1 = sum.1.saturating_add(left.rows),
                None => sums.push((left.reason, left.rows)),
            }
        }
        sums.sort_by_key(|sum| sum.0);
        let parts: Vec<String> =
            sums.iter().map(|(reason, rows)| format!("{} {reason}", count(*rows))).collect();
        Some(if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") })
    }

    /// Services for the terminal: all of a few, of many those without a window. Nothing for one that has windows.
    pub(crate) fn service_facts(&self) -> Vec<String> {
        let services = &self.input.by_service;
        let is_silent = |counts: &&ServiceCounts| counts.windows == 0;
        let mut named: Vec<&ServiceCounts> = match services.len() {
            0 => Vec::new(),
            1 => services.iter().filter(is_silent).collect(),
            few if few <= NAMED => services.iter().collect(),
            _ => services.iter().filter(is_silent).collect(),
        };
        let more = named.len().saturating_sub(NAMED);
        named.truncate(NAMED);
        let mut lines: Vec<String> = named.into_iter().map(service_line).collect();
        if more > 0 {
            lines.push(format!("{} without a window", counted(more, "more service", "more services")));
        }
        lines
    }

    /// A row a service.
    pub(crate) fn input_services(&self, page: &mut Page) {
        let services = &self.input.by_service;
        if services.is_empty() {
            return;
        }
        // Those of which nothing came come first, lest they are overlooked.
        let mut shown: Vec<&ServiceCounts> = services.iter().collect();
        shown.sort_by_key(|counts| counts.windows > 0);
        let rows: Vec<_> = shown
            .into_iter()
            .take(ROWS)
            .map(|counts| {
                let cells = vec![
                    count(counts.rows),
                    count(counts.windows),
                    count(counts.episodes),
                    left_out(counts).unwrap_or_else(|| "–".to_owned()),
                ];
                (if counts.windows == 0 { "chosen" } else { "" }, counts.service.clone(), cells)
            })
            .collect();
        page.table(&["Service", "Rows", "Windows", "Failures", "Left out"], &rows);
        let silent = services.iter().filter(|counts| counts.windows == 0).count();
        if silent > 0 {
            page.raw(&format!(
                "<p class=\"note\">{} without a window: nothing is said about it.</p>\n",
                counted(silent, "service", "services")
            ));
        }
        if services.len() > ROWS {
            let more = count(services.len() - ROWS);
            page.raw(&format!("<p class=\"note\">{more} more services are in report.json.</p>\n"));
        }
    }
}

fn service_line(counts: &ServiceCounts) -> String {
    let left = left_out(counts).map_or_else(String::new, |left| format!("; left out: {left}"));
    let none = if counts.windows == 0 { "no window of " } else { "" };
    let windows =
        if counts.windows == 0 { String::new() } else { format!("{} windows of ", count(counts.windows)) };
    format!(
        "{}: {none}{windows}{}, {}{left}",
        counts.service,
        counted(counts.rows, "row", "rows"),
        counted(counts.episodes, "failure", "failures"),
    )
}

fn left_out(counts: &ServiceCounts) -> Option<String> {
    let parts = counts.left_out.iter().map(|left| format!("{} {}", count(left.rows), left.reason));
    let parts: Vec<String> = parts.collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
