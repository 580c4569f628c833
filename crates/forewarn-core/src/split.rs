use crate::{CoreError, LabelledWindows, Samples, Windows};
use forewarn_schema::{FrameSet, Timestamp};
use std::ops::Deref;

mod proof;

macro_rules! part {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name<T>(T);

        impl<T> Deref for $name<T> {
            type Target = T;

            fn deref(&self) -> &T {
                &self.0
            }
        }

        impl $name<Samples> {
            /// These samples as windows over `frames`, still known as this part.
            ///
            /// # Errors
            /// [`CoreError::LayoutMismatch`].
            pub fn on<'a>(&'a self, frames: &'a FrameSet) -> Result<$name<LabelledWindows<'a>>, CoreError> {
                self.0.on(frames).map($name)
            }

            /// Those samples at `picks` (ascending positions) that are kept of this part: fewer windows share no more
            /// than all.
            ///
            /// # Errors
            /// [`CoreError::UnorderedPicks`] unless every pick is greater than the one before it and within the
            /// samples.
            pub fn select(&self, picks: &[u32]) -> Result<Self, CoreError> {
                self.0.select(picks).map($name)
            }

            /// See [`Samples::with_weights`].
            ///
            /// # Errors
            /// As there.
            pub fn with_weights(self, weights: Vec<f32>) -> Result<Self, CoreError> {
                self.0.with_weights(weights).map($name)
            }

            /// See [`Samples::weighted_by_row`]: fewer windows share no more than all.
            ///
            /// # Errors
            /// As there.
            pub fn weighted_by_row(&self, weights: &[f32]) -> Result<Self, CoreError> {
                self.0.weighted_by_row(weights).map($name)
            }

            /// See [`Samples::with_soft_labels`].
            ///
            /// # Errors
            /// As there.
            pub fn with_soft_labels(self, soft_labels: Vec<f32>) -> Result<Self, CoreError> {
                self.0.with_soft_labels(soft_labels).map($name)
            }

            /// See [`Samples::without_weights`].
            #[must_use]
            pub fn without_weights(self) -> Self {
                Self(self.0.without_weights())
            }

            /// See [`Samples::with_windows`].
            ///
            /// # Errors
            /// As there.
            pub fn with_windows<'a>(
                &'a self,
                windows: Windows<'a>,
            ) -> Result<$name<LabelledWindows<'a>>, CoreError> {
                self.0.with_windows(windows).map($name)
            }
        }
    };
}

part! {
    /// Data to fit on. Only a [`Split`] makes it, so what asks for `Train<_>` cannot be fitted on anything else.
    Train
}
part! {
    /// Data to choose with: when to stop, which threshold. Only a [`Split`] makes it.
    Validation
}
part! {
    /// Data to report on, once. Only a [`Split`] makes it.
    Test
}

/// What keeps the parts of a split from sharing anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Separation {
    /// In every service train comes first, then validation, then test, a purge apart: what a deployed model meets.
    #[default]
    Order,
    /// No service of test has a window in train or validation, which are separated by order: does the model carry
    /// over to a service that it has never seen? Services that fail together at one time can still tell of one
    /// another.
    Services,
    /// Windows of different parts are a purge apart and may follow one another in any order, so that every incident
    /// is tested once. `embargo` more steps follow a part before an earlier one goes on, against what lingers after
    /// it: a train window may come after a test window, but not soon.
    Apart {
        /// Steps beyond the purge.
        embargo: usize,
    },
}

/// Train, validation and test, proven to share no row and no label.
#[derive(Clone, Debug)]
pub struct Split {
    train: Train<Samples>,
    validation: Validation<Samples>,
    test: Test<Samples>,
    purge: usize,
    separation: Separation,
}

impl Split {
    /// Accepts three sets of samples as a split in order of time, or says what they share:
    /// [`separated`](Self::separated) by [`Separation::Order`].
    ///
    /// # Errors
    /// As [`separated`](Self::separated).
    pub fn new(train: Samples, validation: Samples, test: Samples, purge: usize) -> Result<Self, CoreError> {
        Self::separated(train, validation, test, purge, Separation::Order)
    }

    /// Accepts three sets of samples as a split, or says what they share.
    ///
    /// Whatever the separation, windows of different parts of one service lie at least `purge` steps apart, which
    /// comes from [`Labels::purge`](crate::Labels::purge): neither the rows that two windows are made of overlap, nor
    /// those that their labels are. Random splits fail this by construction. Cost: one pass over the samples.
    ///
    /// # Errors
    /// [`CoreError::LayoutMismatch`], [`CoreError::EmptyPart`], [`CoreError::SharedWindows`],
    /// [`CoreError::SharedService`].
    pub fn separated(
        train: Samples,
        validation: Samples,
        test: Samples,
        purge: usize,
        separation: Separation,
    ) -> Result<Self, CoreError> {
        let parts = [("train", &train), ("validation", &validation), ("test", &test)];
        for (part, samples) in parts {
            if samples.layout() != train.layout() {
                return Err(CoreError::LayoutMismatch);
            }
            if samples.is_empty() {
                return Err(CoreError::EmptyPart { part });
            }
        }
        match separation {
            Separation::Order => proof::in_order(&parts, purge)?,
            Separation::Services => {
                proof::no_shared_service(&parts, 2)?;
                proof::in_order(&parts, purge)?;
            }
            Separation::Apart { embargo } => proof::apart(&parts, purge, embargo)?,
        }
        Ok(Self {
            train: Train(train),
            validation: Validation(validation),
            test: Test(test),
            purge,
            separation,
        })
    }

    /// Accepts two sets of samples in order of time as a split without a test part, for a model that is to be used,
    /// not measured: its [`test`](Self::test) has no windows. The proof is that of [`new`](Self::new).
    ///
    /// # Errors
    /// As [`new`](Self::new), for train and validation.
    pub fn without_test(train: Samples, validation: Samples, purge: usize) -> Result<Self, CoreError> {
        Self::of_two(train, validation, purge, Separation::Order)
    }

    /// The same where train may follow validation as well as come before it: [`Separation::Apart`]. For a fit that
    /// stops by a block within the time that it learns from.
    ///
    /// # Errors
    /// As [`separated`](Self::separated), for train and validation.
    pub fn apart_without_test(
        train: Samples,
        validation: Samples,
        purge: usize,
        embargo: usize,
    ) -> Result<Self, CoreError> {
        Self::of_two(train, validation, purge, Separation::Apart { embargo })
    }

    fn of_two(
        train: Samples,
        validation: Samples,
        purge: usize,
        separation: Separation,
    ) -> Result<Self, CoreError> {
        let test = validation.select(&[])?;
        for (part, samples) in [("train", &train), ("validation", &validation)] {
            if samples.layout() != train.layout() {
                return Err(CoreError::LayoutMismatch);
            }
            if samples.is_empty() {
                return Err(CoreError::EmptyPart { part });
            }
        }
        let parts = [("train", &train), ("validation", &validation), ("test", &test)];
        match separation {
            Separation::Apart { embargo } => proof::apart(&parts, purge, embargo)?,
            _ => proof::in_order(&parts, purge)?,
        }
        Ok(Self {
            train: Train(train),
            validation: Validation(validation),
            test: Test(test),
            purge,
            separation,
        })
    }

    /// What models and normalisers are fitted on.
    #[must_use]
    pub fn train(&self) -> &Train<Samples> {
        &self.train
    }

    /// What thresholds are chosen on.
    #[must_use]
    pub fn validation(&self) -> &Validation<Samples> {
        &self.validation
    }

    /// What is reported.
    #[must_use]
    pub fn test(&self) -> &Test<Samples> {
        &self.test
    }

    /// Steps between the parts at least.
    #[must_use]
    pub fn purge(&self) -> usize {
        self.purge
    }

    /// What keeps the parts apart.
    #[must_use]
    pub fn separation(&self) -> Separation {
        self.separation
    }
}

impl Samples {
    /// Time of the first and of the last window of any service; `None` without a window.
    #[must_use]
    pub fn time_span(&self) -> Option<(Timestamp, Timestamp)> {
        // Rows of a service are in order of time, so its first and its last window are enough.
        let time = |row: u32| self.layout().locate(row as usize).map(|(_, time)| time);
        let ends = || proof::extents(self).into_iter().flatten();
        let first = ends().filter_map(|(first, _)| time(first)).min()?;
        let last = ends().filter_map(|(_, last)| time(last)).max()?;
        Some((first, last))
    }
}
