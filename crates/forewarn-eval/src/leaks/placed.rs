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
    /// The group of each window.
    groups: Vec<u32>,
    positive: Vec<bool>,
    services: Vec<Range<usize>>,
    /// Stretches of windows of one service from one positive run to the last of its burst.
    bursts: Vec<Range<usize>>,
}

impl<'a> Placed<'a> {
    pub(super) fn new(set: &'a ScoredSet) -> Result<Self, EvalError> {
        let (scores, positive) = set.pooled("test")?;
        // Bits of scores, which are never negative, are in the order of the scores: whole numbers sort faster than
        // pairs.
        let key = |(index, score): (usize, &Score)| u64::from(!score.get().to_bits()) << 32 | index as u64;
        let mut ranked: Vec<u64> = scores.iter().enumerate().map(key).collect();
        ranked.sort_unstable();
        let (mut ends, mut groups): (Vec<u32>, _) = (Vec::new(), vec![0; scores.len()]);
        for (place, &one) in ranked.iter().enumerate() {
            groups[one as u32 as usize] = ends.len() as u32;
            if ranked.get(place + 1).is_none_or(|next| next >> 32 != one >> 32) {
                ends.push(place as u32 + 1);
            }
        }
        let order = ranked.into_iter().map(|one| one as u32).collect();
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
        Ok(Self { set, order, ends, groups, positive, services, bursts })
    }

    pub(super) fn pr_auc(&self) -> f64 {
        let positive = self.positive.iter().enumerate().filter(|(_, positive)| **positive);
        self.area(positive.map(|(index, _)| index).collect())
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
        let mut moved: Vec<usize> = Vec::new();
        for burst in &self.bursts {
            let within = stretch(burst);
            let at = within.start + random.random_range(0..=within.len() - burst.len());
            let positive = burst.clone().filter(|&index| self.positive[index]);
            moved.extend(positive.map(|index| at + index - burst.start));
        }
        self.area(moved)
    }

    /// Average precision with these windows as the positive ones, without a look at the others. Windows may come twice.
    fn area(&self, mut positive: Vec<usize>) -> f64 {
        positive.sort_unstable();
        positive.dedup();
        let mut groups: Vec<u32> = positive.into_iter().map(|index| self.groups[index]).collect();
        groups.sort_unstable();
        let (mut hits, mut sum) = (0.0, 0.0);
        for alike in groups.chunk_by(|a, b| a == b) {
            let more = alike.len() as f64;
            hits += more;
            sum += more * hits / f64::from(self.ends[alike[0] as usize]);
        }
        if hits > 0.0 { sum / hits } else { 0.0 }
    }

    /// Average precision under other labels, some of which are not known, without sorting again.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ScoredSeries, testing::labelled_scores, testing::minute};
    use forewarn_core::WindowSpec;
    use forewarn_schema::{Episodes, Step};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_look_at_positive_windows_alone_gives_the_area_of_all(
            (scores, positive) in labelled_scores(80), twice in any::<bool>()
        ) {
            let times = (0..scores.len() as i64).map(minute).collect();
            let series = ScoredSeries::new("a", times, scores, positive.clone(), Episodes::default()).unwrap();
            let set = ScoredSet::new(WindowSpec::default(), Step::MINUTE, vec![series]).unwrap();
            prop_assume!(set.pooled("test").is_ok());
            let placed = Placed::new(&set).unwrap();
            let mut those: Vec<usize> = (0..positive.len()).filter(|&index| positive[index]).collect();
            if twice {
                those.extend(those.clone());
            }
            prop_assert_eq!(placed.area(those), placed.area_of(|index| Some(positive[index])));
            prop_assert_eq!(placed.pr_auc(), placed.area_of(|index| Some(positive[index])));
        }
    }
}
