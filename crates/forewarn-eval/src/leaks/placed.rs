use crate::{EvalError, ScoredSet};
use forewarn_core::Score;
use rand::RngExt;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use std::ops::Range;

/// Draws of each kind of move.
const DRAWS: usize = 60;
const DAY_MILLIS: i64 = 86_400_000;
/// Positive runs that begin so soon after one another move together: failures come in bursts.
const TOGETHER_MILLIS: i64 = 3_600_000;
/// Longest that runs are taken together, as a share of a service's windows: one that fails all the time could not be
/// moved at all.
const LONGEST_SHARE: usize = 20;

/// The windows of a set by score, and the runs of positive ones, to be put elsewhere.
pub(super) struct Placed<'a> {
    set: &'a ScoredSet,
    /// Windows from the highest score on.
    order: Vec<u32>,
    /// The end of each group of equal scores in `order`.
    ends: Vec<u32>,
    positive: Vec<bool>,
    services: Vec<Range<usize>>,
    /// Stretches of windows of one service from one positive run to the last of its burst.
    bursts: Vec<Range<usize>>,
}

impl<'a> Placed<'a> {
    pub(super) fn new(set: &'a ScoredSet) -> Result<Self, EvalError> {
        let (scores, positive) = set.pooled("test")?;
        let mut order: Vec<u32> = (0..scores.len() as u32).collect();
        let score = |index: &u32| -> Score { scores[*index as usize] };
        order.sort_by_key(|index| std::cmp::Reverse(score(index)));
        let mut ends: Vec<u32> = Vec::new();
        for place in 1..=order.len() {
            if order.get(place).is_none_or(|next| score(next) != score(&order[place - 1])) {
                ends.push(place as u32);
            }
        }
        let (mut services, mut bursts, mut first) = (Vec::new(), Vec::new(), 0);
        for series in set.series() {
            let count = series.times().len();
            services.push(first..first + count);
            let mut burst: Option<Range<usize>> = None;
            for (index, _) in series.positive().iter().enumerate().filter(|(_, positive)| **positive) {
                let joins = burst.as_ref().is_some_and(|burst| {
                    let gap = series.times()[index].millis() - series.times()[burst.end - 1].millis();
                    gap <= TOGETHER_MILLIS && index - burst.start <= count / LONGEST_SHARE
                        || burst.end == index
                });
                match &mut burst {
                    Some(burst) if joins => burst.end = index + 1,
                    burst => {
                        let done = burst.replace(index..index + 1);
                        bursts.extend(done.map(|one| one.start + first..one.end + first));
                    }
                }
            }
            bursts.extend(burst.map(|one| one.start + first..one.end + first));
            first += count;
        }
        Ok(Self { set, order, ends, positive, services, bursts })
    }

    pub(super) fn pr_auc(&self) -> f64 {
        self.area(&self.positive)
    }

    /// PR-AUC with each burst anywhere in any service.
    pub(super) fn anywhere(&self) -> Vec<f64> {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let all = 0..self.positive.len();
        (0..DRAWS).map(|_| self.moved(|_| all.clone(), &mut random)).collect()
    }

    /// PR-AUC with each burst anywhere in its service.
    pub(super) fn within_services(&self) -> Vec<f64> {
        let mut random = ChaCha8Rng::seed_from_u64(2);
        let own = |burst: &Range<usize>| {
            let place = self.services.partition_point(|service| service.end <= burst.start);
            self.services[place].clone()
        };
        (0..DRAWS).map(|_| self.moved(own, &mut random)).collect()
    }

    /// PR-AUC with the labels of each service moved by whole days of time, round; windows that get no label are left
    /// out. Empty for services of fewer days.
    pub(super) fn by_whole_days(&self, fewest: usize) -> Vec<f64> {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let days = |series: &crate::ScoredSeries| {
            let span = series.times().last().zip(series.times().first());
            span.map_or(0, |(last, first)| (last.millis() - first.millis()) / DAY_MILLIS + 1)
        };
        if !self.set.series().iter().any(|series| days(series) >= fewest as i64) {
            return Vec::new();
        }
        let mut found = Vec::with_capacity(DRAWS);
        for _ in 0..DRAWS {
            // Without a label a window does not count.
            let mut labels: Vec<Option<bool>> = Vec::with_capacity(self.positive.len());
            for series in self.set.series() {
                let days = days(series);
                let times = series.times();
                if days < fewest as i64 {
                    labels.extend(times.iter().map(|_| None));
                    continue;
                }
                let (shift, round) = (random.random_range(1..days) * DAY_MILLIS, days * DAY_MILLIS);
                let first = times.first().map_or(0, |time| time.millis());
                labels.extend(times.iter().map(|time| {
                    let from = first + (time.millis() - first + shift) % round;
                    let place = times.binary_search_by_key(&from, |other| other.millis()).ok()?;
                    Some(series.positive()[place])
                }));
            }
            if labels.contains(&Some(true)) && labels.contains(&Some(false)) {
                found.push(self.area_of(|index| labels[index]));
            }
        }
        found
    }

    /// PR-AUC with each burst at a random place of a stretch.
    fn moved(&self, stretch: impl Fn(&Range<usize>) -> Range<usize>, random: &mut ChaCha8Rng) -> f64 {
        let mut labels = vec![false; self.positive.len()];
        for burst in &self.bursts {
            let within = stretch(burst);
            let at = within.start + random.random_range(0..=within.len() - burst.len());
            labels[at..at + burst.len()]
                .iter_mut()
                .zip(&self.positive[burst.clone()])
                .for_each(|(label, positive)| *label |= positive);
        }
        self.area(&labels)
    }

    fn area(&self, labels: &[bool]) -> f64 {
        self.area_of(|index| Some(labels[index]))
    }

    /// Average precision under other labels, without sorting again.
    fn area_of(&self, label: impl Fn(usize) -> Option<bool>) -> f64 {
        let (mut hits, mut called, mut sum, mut from) = (0.0, 0.0, 0.0, 0usize);
        for &end in &self.ends {
            let mut more = 0.0;
            for label in self.order[from..end as usize].iter().filter_map(|&index| label(index as usize)) {
                called += 1.0;
                more += f64::from(u8::from(label));
            }
            hits += more;
            if more > 0.0 {
                sum += more * hits / called;
            }
            from = end as usize;
        }
        if hits > 0.0 { sum / hits } else { 0.0 }
    }
}
