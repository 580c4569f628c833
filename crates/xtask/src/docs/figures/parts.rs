//! Which tables there are.

use super::report::Columns;

/// A table in a page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub(crate) name: &'static str,
    /// Its page, from the root.
    pub(crate) page: &'static str,
    pub(crate) source: Source,
}

/// Where its figures come from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    /// Reports of `forewarn evaluate`, side by side.
    Evaluations { runs: &'static [Evaluation], columns: Columns },
    /// What `cargo` with these arguments prints: one of its tables, without some columns (seconds differ from run to
    /// run).
    Printed { name: &'static str, arguments: &'static str, table: usize, without: &'static [&'static str] },
    /// `cargo tree` and a build of each crate that the table names.
    Trees,
}

/// A run of `forewarn evaluate`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Evaluation {
    /// Its folder below `target/figures`; equal runs of two parts have one.
    pub(crate) name: &'static str,
    pub(crate) heading: &'static str,
    pub(crate) options: &'static str,
}

impl Source {
    /// As one would type it.
    pub(crate) fn command(&self) -> String {
        match self {
            Self::Evaluations { runs, .. } => {
                let of = |run: &Evaluation| {
                    format!("cargo run --release -- evaluate {}", run.options).trim().to_owned()
                };
                runs.iter().map(of).collect::<Vec<_>>().join("` and `")
            }
            Self::Printed { arguments, .. } => format!("cargo {arguments}"),
            Self::Trees => "cargo tree` and `cargo build".to_owned(),
        }
    }
}

/// In the order in which they are made. The tables of the first page are what a newcomer gets without options: 120
/// days, three quarters of them for the test. The others take half a year. All are so long that half of an interval of
/// a PR-AUC is .05 at most, and the order of models not luck.
pub(crate) const PARTS: &[Part] = &[
    Part {
        name: "shop",
        page: "README.md",
        source: Source::Evaluations {
            runs: &[Evaluation { name: "shop", heading: "", options: "" }],
            columns: Columns::Events,
        },
    },
    Part {
        name: "stress-walk",
        page: "README.md",
        source: Source::Evaluations {
            runs: &[
                Evaluation {
                    name: "walk-active",
                    heading: "target `active`",
                    options: "--simulate stress-walk --days 90 --split 0.27,0.07,0.66 --target active",
                },
                Evaluation {
                    name: "walk-onset",
                    heading: "target `onset`",
                    options: "--simulate stress-walk --days 90 --split 0.27,0.07,0.66",
                },
            ],
            columns: Columns::Areas,
        },
    },
    Part {
        name: "simulated-service",
        page: "docs/explanation/which-model.md",
        source: Source::Evaluations {
            runs: &[Evaluation {
                name: "walk-controls",
                heading: "",
                options: "--simulate stress-walk --days 180 --split 0.2667,0.0667,0.6666 --seed 7 --target active --models \
                          boosted_trees,logistic_snapshot,seasonal_band,double_exponential,persistence,rolling_mean,trend,ewma,rolling_z_score,\
                          cusum,novelty,theil_sen,service_rate",
            }],
            columns: Columns::Ranking,
        },
    },
    Part {
        name: "topology-gain",
        page: "docs/reference/topology.md",
        source: Source::Printed {
            name: "topology_gain",
            arguments: "run --release --example topology_gain",
            table: 0,
            without: &[],
        },
    },
    Part {
        name: "root-ranking",
        page: "docs/reference/topology.md",
        source: Source::Printed {
            name: "topology_gain",
            arguments: "run --release --example topology_gain",
            table: 1,
            without: &[],
        },
    },
    Part {
        name: "foresight",
        page: "docs/explanation/simulator.md",
        source: Source::Printed {
            name: "foresight",
            arguments: "run --release --example foresight",
            table: 0,
            without: &[],
        },
    },
    Part {
        name: "incidents",
        page: "docs/explanation/live-quality.md",
        source: Source::Printed {
            name: "live_quality",
            arguments: "bench -p forewarn-benches --bench live_quality",
            table: 0,
            without: &[],
        },
    },
    Part {
        name: "drift",
        page: "docs/explanation/live-quality.md",
        source: Source::Printed {
            name: "live_quality",
            arguments: "bench -p forewarn-benches --bench live_quality",
            table: 1,
            without: &[],
        },
    },
    Part {
        name: "networks-walk",
        page: "docs/reference/recurrent.md",
        source: Source::Printed {
            name: "gate",
            arguments: "run --release --example gate",
            table: 0,
            without: &["fit, s"],
        },
    },
    Part {
        name: "networks-fleet",
        page: "docs/reference/recurrent.md",
        source: Source::Evaluations {
            runs: &[Evaluation {
                name: "networks-shop",
                heading: "",
                options: "--days 180 --split 0.2667,0.0667,0.6666 --models boosted_trees,ensemble,lstm,gru,lstm_hazard,\
                          gru_hazard,lstm_running,gru_running,logistic_window,logistic_snapshot,persistence,trend,\
                          rolling_mean,service_rate,static_threshold",
            }],
            columns: Columns::Ranking,
        },
    },
    Part { name: "crates", page: "crates/forewarn/README.md", source: Source::Trees },
];
