//! Which failures can be foreseen? Event recall by the fault that caused them, on a month that no model has seen, for models of the same and of
//! another graph, beside chance and beside whoever knows the hidden state.
//!
//! `cargo run --release --example foresight > docs/explanation/simulator/foresight.md` (some minutes)

use forewarn::core::{Labels, Split};
use forewarn::sim::Fleet;
use forewarn::{
    baseline::Input,
    eval::best_f1_threshold,
    prelude::*,
    sim::fleet::{Blueprint, Causes, FaultKind, RollOuts},
    window::Normalisation,
};
use std::{collections::BTreeMap, error::Error};

const MONTH: usize = 30 * 1440;

/// A month of a graph: metrics with labels, and why everything failed.
struct Month {
    fleet: Fleet,
    columns: FrameSet,
    labels: Labels,
    split: Split,
}

impl Month {
    /// Metrics are normalised by the month's own training part, which takes no labels.
    fn new(graph: Blueprint, seed: u64) -> Result<Self, Box<dyn Error>> {
        let mut fleet = Fleet::new(graph, MONTH, seed)?;
        let frames = fleet.frames()?;
        let labels = label(&frames, &ThresholdRule::v1(), WindowSpec::default(), Target::Onset)?;
        let split = chronological(&labels, Fractions::default())?;
        let pipeline = Pipeline::fit(
            Features::default(),
            split.train(),
            &frames,
            Normalisation::ZScore,
            Scope::Service,
            1,
        )?;
        Ok(Self { columns: pipeline.with_limit(20.0)?.apply(&frames)?, fleet, labels, split })
    }

    fn train(&self) -> Result<(Box<dyn Predictor>, Score), Box<dyn Error>> {
        let (train, validation) =
            (self.split.train().on(&self.columns)?, self.split.validation().on(&self.columns)?);
        let model = LogisticRegression::new(Input::Aggregates).fit(train, validation, &mut Silent)?;
        let validation = self.split.validation().on(&self.columns)?;
        let scores = model.score_all(validation.windows())?;
        let (threshold, _) = best_f1_threshold(&scores, validation.positive())?;
        Ok((Box::new(model), threshold))
    }

    /// Score of every row that has a label, by row.
    fn score(&self, model: &dyn Predictor) -> Result<BTreeMap<usize, Score>, Box<dyn Error>> {
        let samples = self.labels.samples(|_, _| true);
        let scores = model.score_all(samples.on(&self.columns)?.windows())?;
        Ok(samples.rows().iter().map(|&row| row as usize).zip(scores).collect())
    }

    /// What a predictor would say that knows the hidden state of everything.
    fn foresee(&self) -> Result<BTreeMap<usize, Score>, Box<dyn Error>> {
        let roll_outs = RollOuts { futures: 24, ..RollOuts::default() };
        let (spec, target) = (WindowSpec::default(), Target::Onset);
        let found = self.fleet.ceiling(&ThresholdRule::v1(), spec, target, 0..MONTH - 6, roll_outs)?;
        let of = |service: usize| move |row: usize| service * MONTH + row;
        let all = found.iter().flat_map(|foresight| {
            foresight.probabilities.iter().enumerate().map(|(service, &p)| (of(service)(foresight.row), p))
        });
        Ok(all.collect())
    }
}

/// Whether an alarm at `threshold` came in the five minutes before a row.
fn is_warned(scores: &BTreeMap<usize, Score>, row: usize, threshold: Score) -> bool {
    scores.range(row.saturating_sub(5)..row).any(|(_, &score)| score >= threshold)
}

/// The threshold above which a share of all windows lies.
fn threshold_for(scores: &BTreeMap<usize, Score>, share: f64) -> Score {
    let mut sorted: Vec<Score> = scores.values().copied().collect();
    sorted.sort();
    sorted[((1.0 - share) * (sorted.len() - 1) as f64) as usize].max(Score::new(0.02).unwrap_or_default())
}

/// Caught and all failures by root fault; the last is what alarms at random moments, as many, would catch.
fn recalls(
    causes: &Causes,
    month: &Month,
    scores: &BTreeMap<usize, Score>,
    threshold: Score,
) -> (BTreeMap<FaultKind, [usize; 2]>, f64) {
    let mut counts: BTreeMap<FaultKind, [usize; 2]> = BTreeMap::new();
    for failure in &causes.failures {
        let Some(root) = failure.root.and_then(|root| causes.fault(root)) else { continue };
        let minute = failure.episode.onset().minutes_since(month.fleet.start()) as usize;
        let row = failure.service * MONTH + minute;
        let count = counts.entry(root.injection.kind).or_default();
        count[0] += usize::from(is_warned(scores, row, threshold));
        count[1] += 1;
    }
    let quiet = scores.keys().filter(|&&row| is_warned(scores, row, threshold)).count();
    (counts, quiet as f64 / scores.len() as f64)
}

fn main() -> Result<(), Box<dyn Error>> {
    let [shop, shop_later, twelve] =
        [(Blueprint::shop(), 1), (Blueprint::shop(), 2), (Blueprint::twelve(), 3)]
            .map(|(graph, seed)| Month::new(graph, seed));
    let (shop, shop_later, twelve) = (shop?, shop_later?, twelve?);
    eprintln!("metrics are there; learning");
    let ((of_shop, at_shop), (of_twelve, _)) = (shop.train()?, twelve.train()?);
    eprintln!("asking what would have been without each fault");
    let (why_shop, why_twelve) =
        (shop_later.fleet.causes(&ThresholdRule::v1())?, twelve.fleet.causes(&ThresholdRule::v1())?);

    let own = shop_later.score(&*of_shop)?;
    let share = own.values().filter(|&&score| score >= at_shop).count() as f64 / own.len() as f64;
    eprintln!("looking into the future");
    let known = shop_later.foresee()?;
    let other = shop_later.score(&*of_twelve)?;
    let away = twelve.score(&*of_shop)?;
    // All alarm in the same share of windows.
    let columns = [
        recalls(&why_shop, &shop_later, &own, at_shop),
        recalls(&why_shop, &shop_later, &other, threshold_for(&other, share)),
        recalls(&why_shop, &shop_later, &known, threshold_for(&known, share)),
        recalls(&why_twelve, &twelve, &away, threshold_for(&away, share)),
    ];
    println!(
        "| root fault | builds up | failures | trained on shop | trained on twelve | hidden state | failures (twelve) | trained on shop |"
    );
    println!("|---|---|---:|---:|---:|---:|---:|---:|");
    let cell = |counts: &BTreeMap<FaultKind, [usize; 2]>, kind: FaultKind| match counts.get(&kind) {
        Some([caught, all]) => format!("{:.2}", *caught as f64 / *all as f64),
        None => "-".to_owned(),
    };
    let mut totals = [[0usize; 2]; 8];
    for kind in FaultKind::ALL {
        let of = |column: usize| columns[column].0.get(&kind).copied().unwrap_or_default();
        if of(0)[1] + of(3)[1] == 0 {
            continue;
        }
        for column in 0..4 {
            let total = &mut totals[2 * column + usize::from(kind.is_gradual())];
            *total = [total[0] + of(column)[0], total[1] + of(column)[1]];
        }
        let builds_up = if kind.is_gradual() { "yes" } else { "no" };
        let cells: Vec<String> = columns.iter().map(|(counts, _)| cell(counts, kind)).collect();
        println!(
            "| {kind} | {builds_up} | {} | {} | {} | {} | {} | {} |",
            of(0)[1],
            cells[0],
            cells[1],
            cells[2],
            of(3)[1],
            cells[3]
        );
    }
    let rate = |column: usize, gradual: usize| {
        let [caught, all] = totals[2 * column + gradual];
        caught as f64 / all.max(1) as f64
    };
    for (name, gradual) in [("**all that build up**", 1), ("**all that strike at once**", 0)] {
        let [shop, twelve] = [totals[gradual][1], totals[6 + gradual][1]];
        let rates: Vec<String> = (0..4).map(|column| format!("{:.2}", rate(column, gradual))).collect();
        println!(
            "| {name} | | {shop} | {} | {} | {} | {twelve} | {} |",
            rates[0], rates[1], rates[2], rates[3]
        );
    }
    let chance: Vec<String> = columns.iter().map(|(_, chance)| format!("{chance:.2}")).collect();
    println!(
        "| alarms at random, as many | | | {} | {} | {} | | {} |",
        chance[0], chance[1], chance[2], chance[3]
    );
    // What builds up can be foreseen far better than what does not, by models and by whoever knows everything.
    assert!(rate(0, 1) > rate(0, 0) + 0.1 && rate(2, 1) > rate(2, 0) + 0.2);
    Ok(())
}
