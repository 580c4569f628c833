use crate::{Suspect, TopologyError};

/// How often a ranking of suspects had the true root near its top, over many cascades.
///
/// `top(k)` is the share of cascades whose root was among the first *k* suspects; `average_of_top(5)` is the mean of
/// `top(1)` to `top(5)`, which rewards a second place more than a fifth. Literature calls them AC@k and Avg@k.
///
/// # References
/// AC@k and Avg@5 as in M. Li et al., *Causal inference-based root cause analysis for online service systems with
/// intervention recognition* (CIRCA), KDD 2022.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RankingQuality {
    /// Place of the true root in each ranking, from 1; `None` where it was not ranked.
    places: Vec<Option<usize>>,
}

impl RankingQuality {
    /// Adds a cascade: the ranking and the true root, by number of service.
    pub fn add(&mut self, ranking: &[Suspect], root: usize) {
        let place = ranking.iter().position(|suspect| suspect.service == root);
        self.places.push(place.map(|place| place + 1));
    }

    /// Number of cascades.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether no cascade was added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Share of cascades whose root was among the first `k`.
    ///
    /// # Errors
    /// [`TopologyError::Empty`] without a cascade.
    pub fn top(&self, k: usize) -> Result<f64, TopologyError> {
        if self.is_empty() {
            return Err(TopologyError::Empty { what: "the list of cascades" });
        }
        let found = self.places.iter().flatten().filter(|place| **place <= k).count();
        Ok(found as f64 / self.len() as f64)
    }

    /// Mean of `top(1)` to `top(k)`.
    ///
    /// # Errors
    /// As [`top`](Self::top), and for a `k` of 0.
    pub fn average_of_top(&self, k: usize) -> Result<f64, TopologyError> {
        if k == 0 {
            return Err(TopologyError::Empty { what: "the list of places" });
        }
        let tops = (1..=k).map(|k| self.top(k)).collect::<Result<Vec<_>, _>>()?;
        Ok(tops.iter().sum::<f64>() / k as f64)
    }

    /// 95 % confidence interval of [`top`](Self::top) (Wilson's score interval), cascades taken for independent.
    ///
    /// # Errors
    /// As [`top`](Self::top).
    ///
    /// # References
    /// E. B. Wilson, *Probable inference, the law of succession, and statistical inference*, JASA 22, 1927.
    pub fn top_interval(&self, k: usize) -> Result<(f64, f64), TopologyError> {
        let (p, n, z) = (self.top(k)?, self.len() as f64, 1.959_964);
        let z2 = z * z;
        let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
        let half = z / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
        Ok(((centre - half).max(0.0), (centre + half).min(1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted() {
        let ranking: Vec<Suspect> =
            [4, 2, 0].map(|service| Suspect { service, score: 0.1 }).into_iter().collect();
        let mut quality = RankingQuality::default();
        assert!(quality.top(1).is_err());
        for root in [4, 2, 2, 9] {
            quality.add(&ranking, root);
        }
        assert_eq!((quality.top(1).unwrap(), quality.top(2).unwrap()), (0.25, 0.75));
        assert_eq!(quality.average_of_top(5).unwrap(), (0.25 + 4.0 * 0.75) / 5.0);
        assert!(quality.average_of_top(0).is_err());
        // Wilson's interval for 1 of 4, from his formula: 0.0456 to 0.6994.
        let (low, high) = quality.top_interval(1).unwrap();
        assert!((low - 0.0456).abs() < 1e-4 && (high - 0.6994).abs() < 1e-4, "{low} {high}");
    }
}
