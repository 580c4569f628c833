//! Examples of the forewarn workspace; each file is a program of its own. Start with `quickstart`.

/// The programs of pages that show one in full, as tests of the documentation.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../docs/how-to/choose-a-budget.md")]
    mod choose_a_budget {}
    #[doc = include_str!("../docs/how-to/find-roots.md")]
    mod find_roots {}
    #[doc = include_str!("../docs/how-to/labels-from-incidents.md")]
    mod labels_from_incidents {}
    #[doc = include_str!("../docs/how-to/other-steps.md")]
    mod other_steps {}
    #[doc = include_str!("../docs/how-to/own-model.md")]
    mod own_model {}
    #[doc = include_str!("../docs/explanation/simulator.md")]
    mod simulator {}
}
