use forewarn_core::V1Rule;
use forewarn_sim::fleet::{FaultKind, FaultSchedule, Fleet, Injection, Load};

/// Ground truth can be written as it is: by position, by name, and fault by fault.
#[test]
fn truth_is_written_with_root_kind_and_victims() {
    let calm = Fleet::shop(3).with_minutes(120).with_load(Load::steady(1.0));
    let fault =
        Injection::new(FaultKind::PodFailure, "database").with_severity(1.0).with_duration_minutes(5.0);
    let fleet = calm.with_faults(FaultSchedule::none()).with_injection(30, fault);
    let causes = fleet.causes(&V1Rule).unwrap();
    assert_eq!(causes.services, ["auth", "database", "gateway", "user"]);
    let whole = serde_json::to_value(&causes).unwrap();
    assert_eq!(whole["failures"].as_array().unwrap().len(), causes.failures.len());
    assert_eq!(whole["log"][0]["injection"]["kind"], "pod-failure");

    let rows: Vec<_> = causes.rows().collect();
    assert_eq!(rows.len(), causes.failures.len());
    for (row, failure) in rows.iter().zip(&causes.failures) {
        assert_eq!(row.service, causes.services[failure.service]);
        assert_eq!((row.kind, row.root_service), (Some(FaultKind::PodFailure), Some("database")));
        assert_eq!(row.is_victim, row.service != "database");
        assert_eq!(row.parent.is_some(), row.is_victim);
    }
    assert_eq!(serde_json::to_value(&rows[0]).unwrap()["onset"], rows[0].onset.to_string());

    let cascades: Vec<_> = causes.cascades().collect();
    assert_eq!(cascades.len(), 1);
    let mut victims = cascades[0].victims.clone();
    victims.sort_unstable();
    assert_eq!(victims, ["auth", "database", "gateway", "user"]);
    assert_eq!(cascades[0].failures.len(), causes.failures.len());
    assert!(serde_json::to_value(&cascades[0]).unwrap()["victims"].is_array());
}
