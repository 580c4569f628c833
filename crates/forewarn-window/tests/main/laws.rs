//! Every feature of this crate keeps the laws of features, and is read back as what was saved.

use forewarn_core::{Feature, Registry, conformance};
use forewarn_schema::strategies;
use forewarn_window::{
    Calendar, Deltas, Ewma, FeatureExt, Features, Impute, Logs, Metrics, RatioOf, RecentNormal, Rolling,
    SeasonalResidual, Select, Statistic, register,
};
use proptest::prelude::*;

fn features() -> Vec<Box<dyn Feature>> {
    let rolling = |statistic| Box::new(Rolling::new(statistic, 4).unwrap());
    vec![
        Box::new(Metrics),
        Box::new(Deltas::except(&[]).with_steps(3).unwrap()),
        rolling(Statistic::Mean),
        rolling(Statistic::Std),
        rolling(Statistic::Min),
        rolling(Statistic::Max),
        rolling(Statistic::Slope),
        Box::new(Ewma::half_life(2.0).unwrap()),
        Box::new(RecentNormal::new(4).unwrap()),
        Box::new(SeasonalResidual::new(5).unwrap().with_metrics(Select::only(&["m0"]))),
        Box::new(Calendar::day_and_week()),
        Box::new(Logs::default()),
        Box::new(RatioOf::new("m0", "m0")),
        Box::new(Impute::none()),
        Box::new(Impute::last(2).unwrap()),
        Box::new(Impute::seasonal(5).unwrap()),
        Box::new(Impute::none().mask()),
        Box::new(Deltas::default().then(Rolling::new(Statistic::Max, 3).unwrap())),
        Box::new(Features::default().with(Ewma::half_life(3.0).unwrap())),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_feature_keeps_the_laws(
        frame in strategies::schema(3).prop_flat_map(|schema| strategies::frame_near("s", schema, &[("m0", 2.0)], 60))
    ) {
        let registry = register(Registry::new());
        for feature in features() {
            conformance::feature(&*feature, frame.view())?;
            conformance::saved_feature(&*feature, &registry, frame.view())?;
        }
    }
}
