//! Which failures can be foreseen? The share detected, by root fault, on months that no model has seen: by models of
//! the same graph and of another, beside a predictor that knows the hidden state and alarms at random.
//!
//! `cargo run --release --example foresight` prints the table of `docs/explanation/simulator.md`, in five minutes of a
//! processor, most of them for the hidden state.

mod span;

use forewarn::{
    prelude::*,
    sim::fleet::{Blueprint, FaultKind},
};
use span::{Scores, Span, threshold_for};
use std::{collections::BTreeMap, error::Error};

/// Days to fit on, and days of the shop that are tried: enough failures that the shares of both sums are within .05.
const FIT_DAYS: usize = 30;
const TRIED_DAYS: usize = 120;

/// Failures by root fault, detected and all; and the share that as many alarms at random moments would detect.
struct Column {
    counts: BTreeMap<FaultKind, [usize; 2]>,
    chance: f64,
}

impl Column {
    fn new(failures: &[(FaultKind, usize)], scores: &Scores, threshold: Score) -> Self {
        let is_detected =
            |row: usize| scores.range(row.saturating_sub(5)..row).any(|(_, &score)| score >= threshold);
        let mut counts: BTreeMap<FaultKind, [usize; 2]> = BTreeMap::new();
        for &(kind, row) in failures {
            let count = counts.entry(kind).or_default();
            *count = [count[0] + usize::from(is_detected(row)), count[1] + 1];
        }
        let rows = scores.keys().filter(|&&row| is_detected(row)).count();
        Self { counts, chance: rows as f64 / scores.len() as f64 }
    }

    /// Detected and all failures of those faults.
    fn count(&self, is_one: impl Fn(FaultKind) -> bool) -> [usize; 2] {
        let of = self.counts.iter().filter(|(kind, _)| is_one(**kind)).map(|(_, count)| *count);
        of.fold([0, 0], |sum, count| [sum[0] + count[0], sum[1] + count[1]])
    }
}

/// One line of the table: three columns of the shop's failures, one of the twelve's.
fn line(name: &str, builds_up: &str, [a, b, c, d]: [[usize; 2]; 4]) {
    let share = |[detected, all]: [usize; 2]| match all {
        0 => "-".to_owned(),
        _ => format!("{:.2}", detected as f64 / all as f64),
    };
    let (shop, twelve) = (a[1], d[1]);
    let [a, b, c, d] = [a, b, c, d].map(share);
    println!("| {name} |{builds_up}| {shop} | {a} | {b} | {c} | {twelve} | {d} |");
}

fn main() -> Result<(), Box<dyn Error>> {
    let shop = Span::new(Blueprint::shop(), FIT_DAYS, 1)?;
    let shop_later = Span::new(Blueprint::shop(), TRIED_DAYS, 2)?;
    let twelve = Span::new(Blueprint::twelve(), FIT_DAYS, 3)?;
    let ((of_shop, at_shop), (of_twelve, _)) = (shop.train()?, twelve.train()?);
    eprintln!("asking what would have been without each fault");
    let (in_shop, in_twelve) = (shop_later.failures()?, twelve.failures()?);
    eprintln!("looking into the future");
    let known = shop_later.foresee()?;
    let (own, other) = (shop_later.score(&of_shop)?, shop_later.score(&of_twelve)?);
    let away = twelve.score(&of_shop)?;
    // All alarm in the same share of windows.
    let share = own.values().filter(|&&score| score >= at_shop).count() as f64 / own.len() as f64;
    let columns = [
        Column::new(&in_shop, &own, at_shop),
        Column::new(&in_shop, &other, threshold_for(&other, share)?),
        Column::new(&in_shop, &known, threshold_for(&known, share)?),
        Column::new(&in_twelve, &away, threshold_for(&away, share)?),
    ];
    let counts = |is_one: &dyn Fn(FaultKind) -> bool| columns.each_ref().map(|column| column.count(is_one));

    println!(
        "| root fault | builds up | failures | trained on shop | trained on twelve | hidden state \
              | failures (twelve) | trained on shop |"
    );
    println!("|---|---|---:|---:|---:|---:|---:|---:|");
    for kind in FaultKind::ALL {
        let counts = counts(&|other| other == kind);
        if counts[0][1] + counts[3][1] > 0 {
            line(kind.name(), if kind.is_gradual() { " yes " } else { " no " }, counts);
        }
    }
    let [gradual, sudden] = [true, false].map(|gradual| counts(&|kind| kind.is_gradual() == gradual));
    line("**all that build up**", " ", gradual);
    line("**all that strike at once**", " ", sudden);
    let [a, b, c, d] = columns.each_ref().map(|column| format!("{:.2}", column.chance));
    println!("| alarms at random, as many | | | {a} | {b} | {c} | | {d} |");
    // What builds up can be foreseen far better than what does not, by models and with the hidden state.
    let rate = |[detected, all]: [usize; 2]| detected as f64 / all as f64;
    assert!(rate(gradual[0]) > rate(sudden[0]) + 0.1 && rate(gradual[2]) > rate(sudden[2]) + 0.2);
    Ok(())
}
