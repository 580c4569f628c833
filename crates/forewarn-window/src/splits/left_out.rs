use crate::{Fractions, WindowError, splits::clock::Clock};
use forewarn_core::{Labels, Separation, Split};

/// Which windows of the services that are left out are tested on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TestSpan {
    /// Those of the test span of time: a new service, later. Nothing that happened to several services at one time is
    /// in two parts.
    #[default]
    Later,
    /// All: more of them, at the price that what happened to all services at one time is known from the others.
    Whole,
}

/// Splits by service: train and validation are the first two spans of time of all services but `services`, test is
/// those.
///
/// It answers whether a model carries over to services that it has never seen; a normaliser of
/// [`Scope::Service`](crate::Scope::Service) then measures them against all others.
///
/// # Errors
/// [`WindowError::UnknownService`], [`WindowError::TooShort`], [`forewarn_core::CoreError::EmptyPart`] when all
/// services or none are left out.
pub fn leave_services_out(
    labels: &Labels,
    services: &[&str],
    fractions: Fractions,
    test_span: TestSpan,
) -> Result<Split, WindowError> {
    let places = labels.layout().services();
    for &service in services {
        if !places.iter().any(|place| place.name() == service) {
            let available = places.iter().map(|place| place.name().to_owned()).collect();
            return Err(WindowError::UnknownService { service: service.to_owned(), available });
        }
    }
    let left_out = |service: usize| services.contains(&places[service].name());
    let clock = Clock::of(labels)?;
    let [train, validation, later] = fractions.spans(&clock);
    let test = match test_span {
        TestSpan::Later => later,
        TestSpan::Whole => clock.rest(clock.first),
    };
    Ok(Split::separated(
        labels.samples_in(&[train], |service| !left_out(service)),
        labels.samples_in(&[validation], |service| !left_out(service)),
        labels.samples_in(&[test], left_out),
        labels.purge(),
        Separation::Services,
    )?)
}

/// [`leave_services_out`] for each of `folds` groups of services in turn, so that every service is tested once.
/// Services are dealt out by name, one to each group after another.
///
/// # Errors
/// As [`leave_services_out`]; [`forewarn_core::CoreError::InvalidSetting`] for fewer than two folds or fewer services
/// than folds.
pub fn leave_each_out(
    labels: &Labels,
    folds: usize,
    fractions: Fractions,
    test_span: TestSpan,
) -> Result<Vec<Split>, WindowError> {
    let names: Vec<&str> = labels.layout().services().iter().map(|place| place.name()).collect();
    if !(2..=names.len()).contains(&folds) {
        return Err(crate::settings::setting("folds", &folds, "2 to the number of services"));
    }
    (0..folds)
        .map(|fold| {
            let group: Vec<&str> = names.iter().skip(fold).step_by(folds).copied().collect();
            leave_services_out(labels, &group, fractions, test_span).map_err(|error| match error {
                WindowError::Core(source) => WindowError::Fold { fold: fold + 1, folds, source },
                other => other,
            })
        })
        .collect()
}
