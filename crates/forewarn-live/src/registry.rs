use forewarn_core::Registry;

/// The registry of all kinds of model and feature that forewarn brings; kinds of one's own are added to it.
///
/// ```
/// use forewarn_live::standard_registry;
///
/// let registry = standard_registry();
/// assert!(registry.predictor_kinds().any(|kind| kind == "lstm"));
/// assert!(registry.feature_kinds().any(|kind| kind == "verdicts"));
/// ```
#[must_use]
pub fn standard_registry() -> Registry {
    [
        forewarn_baseline::register,
        forewarn_recurrent::register,
        forewarn_ensemble::register,
        forewarn_window::register,
        forewarn_label::register,
    ]
    .into_iter()
    .fold(Registry::new(), |registry, register| register(registry))
}
