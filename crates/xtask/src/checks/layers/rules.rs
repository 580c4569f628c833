//! The layers and what each may not know.

use std::fmt;

use super::workspace::{Kind, Member, Workspace};

/// A layer, from the lowest up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layer {
    /// Schema and numerics: they know nothing of ours.
    Floor,
    Core,
    Stage,
    /// Libraries that join stages.
    Composition,
    Facade,
    /// Programs and their parts, examples and benches.
    Application,
    /// The workspace's own commands, which stay quick to compile.
    Tool,
}

use Layer::{Application, Composition, Core, Facade, Floor, Stage, Tool};

/// Every member of the workspace. One that is not here breaks a rule.
const LAYERS: &[(&str, Layer)] = &[
    ("forewarn-schema", Floor),
    ("forewarn-numerics", Floor),
    ("forewarn-core", Core),
    ("forewarn-io", Stage),
    ("forewarn-prometheus", Stage),
    ("forewarn-sim", Stage),
    ("forewarn-label", Stage),
    ("forewarn-window", Stage),
    ("forewarn-baseline", Stage),
    ("forewarn-recurrent", Stage),
    ("forewarn-ensemble", Stage),
    ("forewarn-topology", Stage),
    ("forewarn-eval", Stage),
    ("forewarn-experiment", Composition),
    ("forewarn-report", Composition),
    ("forewarn-live", Composition),
    ("forewarn", Facade),
    ("forewarn-store", Application),
    ("forewarn-server", Application),
    ("forewarn-dashboard", Application),
    ("forewarn-cli", Application),
    ("forewarn-python", Application),
    ("forewarn-examples", Application),
    ("forewarn-benches", Application),
    ("xtask", Tool),
];

impl Layer {
    fn of(name: &str) -> Option<Self> {
        LAYERS.iter().find(|(member, _)| *member == name).map(|&(_, layer)| layer)
    }

    /// The layers that this one may depend on, be it for building or for tests.
    ///
    /// Evaluation never names a model because, as a stage, it can depend on neither model crate.
    const fn may_know(self) -> &'static [Self] {
        match self {
            Floor | Tool => &[],
            Core => &[Floor],
            Stage => &[Floor, Core],
            Composition => &[Floor, Core, Stage, Composition],
            Facade => &[Floor, Core, Stage, Composition],
            Application => &[Floor, Core, Stage, Composition, Facade, Application],
        }
    }

    const fn rule(self) -> &'static str {
        match self {
            Floor => "forewarn-schema and forewarn-numerics depend on no other crate of the workspace",
            Core => "forewarn-core depends on forewarn-schema and forewarn-numerics only",
            Stage => "a stage depends on schema, numerics and core only",
            Composition => "a composition depends on libraries below the facade only",
            Facade => "the facade depends on the libraries below it only",
            Application => "an application depends on libraries and applications only",
            Tool => "xtask depends on no other crate of the workspace",
        }
    }

    const fn is_library(self) -> bool {
        matches!(self, Floor | Core | Stage | Composition | Facade)
    }
}

/// Outside crates that some members may not know. A name that ends in `*` stands for all that begin so.
struct Ban {
    crates: &'static [&'static str],
    /// Whom it binds.
    binds: fn(name: &str, layer: Layer) -> bool,
    reach: Reach,
    rule: &'static str,
}

/// How far a [`Ban`] goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Every line of the manifest.
    Declared,
    /// The manifest's lines but for tests.
    DeclaredForUse,
    /// What the default features bring.
    Brought,
    /// The manifest's lines but for tests, and what the default features bring.
    DeclaredOrBrought,
}

impl Reach {
    const fn declared(self, kind: Kind) -> bool {
        match self {
            Self::Declared => true,
            Self::DeclaredForUse | Self::DeclaredOrBrought => !matches!(kind, Kind::Dev),
            Self::Brought => false,
        }
    }

    const fn brought(self) -> bool {
        matches!(self, Self::Brought | Self::DeclaredOrBrought)
    }
}

const BANS: &[Ban] = &[
    Ban {
        crates: &["ndarray"],
        binds: |_, layer| layer == Floor,
        reach: Reach::DeclaredOrBrought,
        rule: "schema and numerics are plain data, without ndarray",
    },
    Ban {
        crates: &["tch", "torch-sys"],
        binds: |_, layer| matches!(layer, Floor | Core),
        reach: Reach::DeclaredOrBrought,
        rule: "schema, numerics and core bring no libtorch",
    },
    Ban {
        crates: &["rand", "rand_*", "oorandom", "nanorand"],
        binds: |_, layer| matches!(layer, Floor | Core),
        reach: Reach::DeclaredOrBrought,
        rule: "schema, numerics and core bring no random generator",
    },
    // Brought, they are harmless: safetensors draws the names of its temporary files from them.
    Ban {
        crates: &["fastrand", "getrandom"],
        binds: |_, layer| matches!(layer, Floor | Core),
        reach: Reach::DeclaredForUse,
        rule: "schema, numerics and core draw no random numbers",
    },
    Ban {
        crates: &["tch", "torch-sys"],
        binds: |name, _| name != "forewarn-recurrent",
        reach: Reach::Declared,
        rule: "only forewarn-recurrent names tch",
    },
    Ban {
        crates: &["tch", "torch-sys"],
        binds: |_, layer| layer.is_library(),
        reach: Reach::Brought,
        rule: "libtorch is never a default feature",
    },
    Ban {
        crates: &[
            "tokio",
            "axum",
            "hyper",
            "reqwest",
            "ureq",
            "async-std",
            "smol",
            "tower",
            "tower-http",
            "tonic",
            "isahc",
            "curl",
            "surf",
            "attohttpc",
            "minreq",
        ],
        binds: |_, layer| layer.is_library(),
        reach: Reach::DeclaredOrBrought,
        rule: "a library opens no socket and brings no async runtime",
    },
    Ban {
        crates: &["clap", "clap_*", "argh", "bpaf", "lexopt", "pico-args", "structopt"],
        binds: |_, layer| layer.is_library(),
        reach: Reach::DeclaredForUse,
        rule: "a library parses no command line",
    },
    Ban {
        crates: &["anyhow", "color-eyre", "eyre", "miette"],
        binds: |_, layer| layer.is_library(),
        reach: Reach::DeclaredForUse,
        rule: "a library has error types of its own",
    },
    Ban {
        crates: &[
            "env_logger",
            "fern",
            "flexi_logger",
            "log4rs",
            "pretty_env_logger",
            "simple_logger",
            "simplelog",
            "tracing-subscriber",
        ],
        binds: |_, layer| layer.is_library(),
        reach: Reach::DeclaredForUse,
        rule: "a library leaves the logger's setup to the application",
    },
    Ban {
        crates: &["bindgen", "cc", "cmake", "pkg-config", "vcpkg"],
        binds: |_, layer| layer.is_library(),
        reach: Reach::DeclaredOrBrought,
        rule: "with default features a library needs no C compiler",
    },
];

/// Crates with a `links` key that link nothing: the key only keeps two versions of them out of one program.
const LINKS_NOTHING: &[&str] = &["prettyplease", "rayon-core", "wasm-bindgen-shared"];

/// A rule that a crate does not keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Broken {
    member: String,
    what: String,
    rule: &'static str,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.member, self.what, self.rule)
    }
}

/// All broken rules of a workspace, in the order of its members.
pub(super) fn broken(workspace: &Workspace) -> Vec<Broken> {
    let mut all = Vec::new();
    for member in &workspace.members {
        let mut report = |what: String, rule: &'static str| {
            all.push(Broken { member: member.name.clone(), what, rule });
        };
        let Some(layer) = Layer::of(&member.name) else {
            report(
                "is in no layer".to_owned(),
                "each member has a line in LAYERS, in crates/xtask/src/checks/layers/rules.rs",
            );
            continue;
        };
        for declared in &member.declared {
            let known = Layer::of(&declared.name);
            if known.is_some_and(|known| !layer.may_know().contains(&known)) {
                report(format!("depends on {}{}", declared.name, purpose(declared.kind)), layer.rule());
            }
        }
        for ban in BANS.iter().filter(|ban| (ban.binds)(&member.name, layer)) {
            for what in breaches(member, ban) {
                report(what, ban.rule);
            }
        }
        if layer.is_library() {
            for brought in &member.tree {
                if let Some(links) = &brought.links
                    && !LINKS_NOTHING.contains(&brought.name.as_str())
                {
                    let what = format!("brings {}, which links {links}", brought.name);
                    report(what, "with default features a library needs no C library");
                }
            }
        }
    }
    all
}

/// What a member does that a ban forbids: a declared crate once per purpose, one that is only brought once.
fn breaches(member: &Member, ban: &Ban) -> Vec<String> {
    let banned = |name: &str| ban.crates.iter().any(|pattern| matches(pattern, name));
    let declared: Vec<_> = member
        .declared
        .iter()
        .filter(|declared| ban.reach.declared(declared.kind) && banned(&declared.name))
        .collect();
    let brought = member.tree.iter().filter(|brought| {
        ban.reach.brought()
            && banned(&brought.name)
            && !declared.iter().any(|declared| declared.name == brought.name)
    });
    declared
        .iter()
        .map(|declared| format!("depends on {}{}", declared.name, purpose(declared.kind)))
        .chain(brought.map(|brought| format!("brings {}", brought.name)))
        .collect()
}

fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |start| name.starts_with(start))
}

const fn purpose(kind: Kind) -> &'static str {
    match kind {
        Kind::Normal => "",
        Kind::Build => " for building",
        Kind::Dev => " for tests",
    }
}

#[cfg(test)]
mod tests {
    use super::super::workspace::{Brought, Declared};
    use super::*;

    fn member(name: &str) -> Member {
        Member { name: name.to_owned(), declared: Vec::new(), tree: Vec::new() }
    }

    fn declaring(name: &str, kind: Kind, dependency: &str) -> Member {
        Member { declared: vec![Declared { name: dependency.to_owned(), kind }], ..member(name) }
    }

    fn bringing(name: &str, brought: &str, links: Option<&str>) -> Member {
        let links = links.map(str::to_owned);
        Member { tree: vec![Brought { name: brought.to_owned(), links }], ..member(name) }
    }

    fn lines(member: Member) -> Vec<String> {
        broken(&Workspace { members: vec![member] }).iter().map(ToString::to_string).collect()
    }

    #[track_caller]
    fn keeps(member: Member) {
        assert_eq!(lines(member), [""; 0]);
    }

    #[track_caller]
    fn breaks(member: Member, line: &str) {
        assert_eq!(lines(member), [line]);
    }

    #[test]
    fn every_layer_knows_those_below_it_only() {
        let order = [
            "forewarn-schema",
            "forewarn-core",
            "forewarn-sim",
            "forewarn-live",
            "forewarn",
            "forewarn-examples",
        ];
        for (upper, above) in order.iter().enumerate() {
            for (lower, below) in order.iter().enumerate() {
                for kind in [Kind::Normal, Kind::Build, Kind::Dev] {
                    let broken = lines(declaring(above, kind, below));
                    assert_eq!(
                        broken.is_empty(),
                        lower < upper || (upper == lower && shares(above)),
                        "{above} on {below}: {broken:?}"
                    );
                }
            }
        }
    }

    /// Compositions build on each other, as applications do.
    fn shares(name: &str) -> bool {
        matches!(Layer::of(name), Some(Composition | Application))
    }

    #[test]
    fn no_stage_depends_on_a_stage_even_for_tests() {
        breaks(
            declaring("forewarn-window", Kind::Normal, "forewarn-label"),
            "forewarn-window depends on forewarn-label: a stage depends on schema, numerics and core only",
        );
        breaks(
            declaring("forewarn-eval", Kind::Dev, "forewarn-recurrent"),
            "forewarn-eval depends on forewarn-recurrent for tests: a stage depends on schema, numerics and core only",
        );
        breaks(
            declaring("forewarn-topology", Kind::Build, "forewarn-io"),
            "forewarn-topology depends on forewarn-io for building: a stage depends on schema, numerics and core only",
        );
    }

    #[test]
    fn xtask_depends_on_nothing_of_the_workspace() {
        breaks(
            declaring("xtask", Kind::Normal, "forewarn-schema"),
            "xtask depends on forewarn-schema: xtask depends on no other crate of the workspace",
        );
        keeps(declaring("xtask", Kind::Normal, "lexopt"));
    }

    #[test]
    fn a_new_member_needs_a_layer() {
        breaks(
            member("forewarn-new"),
            "forewarn-new is in no layer: each member has a line in LAYERS, in crates/xtask/src/checks/layers/rules.rs",
        );
    }

    #[test]
    fn schema_and_core_are_plain() {
        for name in ["forewarn-schema", "forewarn-core"] {
            for banned in ["tokio", "reqwest", "hyper", "ureq", "rand", "rand_chacha"] {
                assert_eq!(lines(bringing(name, banned, None)).len(), 1, "{name} brings {banned}");
                assert_eq!(lines(declaring(name, Kind::Normal, banned)).len(), 1, "{name} on {banned}");
            }
            breaks(
                declaring(name, Kind::Normal, "fastrand"),
                &format!("{name} depends on fastrand: schema, numerics and core draw no random numbers"),
            );
            keeps(bringing(name, "fastrand", None));
            keeps(bringing(name, "serde_json", None));
            // Tests draw random numbers.
            keeps(declaring(name, Kind::Dev, "rand"));
        }
        breaks(
            bringing("forewarn-schema", "ndarray", None),
            "forewarn-schema brings ndarray: schema and numerics are plain data, without ndarray",
        );
        keeps(bringing("forewarn-core", "ndarray", None));
        keeps(bringing("forewarn-sim", "rand_chacha", None));
    }

    #[test]
    fn a_crate_that_is_both_declared_and_brought_is_named_once() {
        let mut schema = declaring("forewarn-schema", Kind::Normal, "rand");
        schema.tree.push(Brought { name: "rand".to_owned(), links: None });
        breaks(
            schema,
            "forewarn-schema depends on rand: schema, numerics and core bring no random generator",
        );
    }

    #[test]
    fn only_recurrent_names_tch_and_never_by_default() {
        keeps(declaring("forewarn-recurrent", Kind::Normal, "tch"));
        keeps(declaring("forewarn-recurrent", Kind::Dev, "tch"));
        breaks(
            declaring("forewarn-examples", Kind::Dev, "tch"),
            "forewarn-examples depends on tch for tests: only forewarn-recurrent names tch",
        );
        breaks(
            bringing("forewarn-recurrent", "torch-sys", None),
            "forewarn-recurrent brings torch-sys: libtorch is never a default feature",
        );
    }

    #[test]
    fn libraries_leave_the_command_line_errors_and_logs_to_applications() {
        for banned in ["clap", "clap_builder", "lexopt", "anyhow", "eyre", "env_logger", "tracing-subscriber"]
        {
            assert_eq!(lines(declaring("forewarn", Kind::Normal, banned)).len(), 1, "{banned}");
            assert_eq!(lines(declaring("forewarn-io", Kind::Build, banned)).len(), 1, "{banned}");
            keeps(declaring("forewarn-examples", Kind::Normal, banned));
            keeps(declaring("forewarn", Kind::Dev, banned));
            // Another library may use them inside.
            keeps(bringing("forewarn", banned, None));
        }
        keeps(declaring("forewarn", Kind::Normal, "clapper"));
    }

    #[test]
    fn default_features_need_no_c() {
        breaks(
            bringing("forewarn-io", "zstd-sys", Some("zstd")),
            "forewarn-io brings zstd-sys, which links zstd: with default features a library needs no C library",
        );
        breaks(
            bringing("forewarn-io", "cc", None),
            "forewarn-io brings cc: with default features a library needs no C compiler",
        );
        // Neither a name in -sys nor a links key makes a C library.
        keeps(bringing("forewarn-io", "linux-raw-sys", None));
        keeps(bringing("forewarn-io", "rayon-core", Some("rayon-core")));
        keeps(bringing("forewarn-examples", "zstd-sys", Some("zstd")));
    }

    #[test]
    fn every_broken_rule_of_every_member_is_told() {
        let mut io = declaring("forewarn-io", Kind::Normal, "forewarn-sim");
        io.declared.push(Declared { name: "anyhow".to_owned(), kind: Kind::Normal });
        io.tree.push(Brought { name: "bzip2-sys".to_owned(), links: Some("bzip2".to_owned()) });
        let members = vec![io, declaring("forewarn-core", Kind::Normal, "forewarn-io")];
        assert_eq!(broken(&Workspace { members }).len(), 4);
    }
}
