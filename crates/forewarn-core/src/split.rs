use crate::{CoreError, LabelledWindows, Samples};
use forewarn_schema::{FrameSet, Timestamp};
use std::ops::Deref;

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

/// Train, validation and test in order of time, proven to share no row and no label.
#[derive(Clone, Debug)]
pub struct Split {
    train: Train<Samples>,
    validation: Validation<Samples>,
    test: Test<Samples>,
    purge: usize,
}

impl Split {
    /// Accepts three sets of samples as a split, or says what they share.
    ///
    /// For every service the parts that have windows of it must follow one another in time with at least `purge` steps
    /// between the last window of one and the first of the next; `purge` comes from [`Labels::purge`](crate::Labels::purge).
    /// Random splits fail this by construction. Cost: one pass over the samples.
    ///
    /// # Errors
    /// [`CoreError::LayoutMismatch`], [`CoreError::EmptyPart`], [`CoreError::SharedWindows`].
    pub fn new(train: Samples, validation: Samples, test: Samples, purge: usize) -> Result<Self, CoreError> {
        let parts = [("train", &train), ("validation", &validation), ("test", &test)];
        for (part, samples) in parts {
            if samples.layout() != train.layout() {
                return Err(CoreError::LayoutMismatch);
            }
            if samples.is_empty() {
                return Err(CoreError::EmptyPart { part });
            }
        }
        let extents = parts.map(|(_, samples)| extents(samples));
        for (earlier, later) in [(0, 1), (1, 2), (0, 2)] {
            for (service, place) in train.layout().services().iter().enumerate() {
                let (Some((_, last)), Some((first, _))) =
                    (extents[earlier][service], extents[later][service])
                else {
                    continue;
                };
                if (first as usize) < (last as usize).saturating_add(purge) {
                    let time =
                        |row: u32| train.layout().locate(row as usize).map_or(place.start(), |at| at.1);
                    return Err(CoreError::SharedWindows {
                        earlier: parts[earlier].0,
                        later: parts[later].0,
                        service: place.name().to_owned(),
                        earlier_time: time(last),
                        later_time: time(first),
                        purge,
                    });
                }
            }
        }
        Ok(Self { train: Train(train), validation: Validation(validation), test: Test(test), purge })
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
}

/// First and last row of each service that has samples.
fn extents(samples: &Samples) -> Vec<Option<(u32, u32)>> {
    let mut extents = vec![None; samples.layout().services().len()];
    for (&row, (service, _)) in samples.rows().iter().zip(samples.places()) {
        let (first, last) = extents[service].get_or_insert((row, row));
        (*first, *last) = ((*first).min(row), (*last).max(row));
    }
    extents
}

impl Samples {
    /// Time of the first and of the last window of any service; `None` without a window.
    #[must_use]
    pub fn time_span(&self) -> Option<(Timestamp, Timestamp)> {
        let first = self.places().map(|(_, time)| time).min()?;
        let last = self.places().map(|(_, time)| time).max()?;
        Some((first, last))
    }
}
