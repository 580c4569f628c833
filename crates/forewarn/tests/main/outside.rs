//! What an outside crate adds stands in a report beside what forewarn brings.

use crate::custom_model;

#[test]
fn a_source_a_rule_a_feature_and_a_model_of_ones_own() {
    let report = custom_model::experiment().unwrap();
    let names: Vec<&str> = report.models.iter().map(|model| &*model.name).collect();
    assert_eq!(names, ["nearest_mean", "logistic_snapshot"]);
    assert_eq!(report.failure_rule, "more than 360 jobs wait");
    assert!(report.features.contains(&"smooth(arrivals)".to_owned()));
    assert_eq!(report.input.services, 2);
    assert!(report.models.iter().all(|model| model.pr_auc > 2.0 * report.test.prevalence));
}
