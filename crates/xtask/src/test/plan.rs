//! The steps of a test run, in order.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;

use cargo_metadata::{Metadata, TargetKind};

use super::{Libtorch, Scope, Sklearn};
use crate::command::{ALL_BUT_LIBTORCH, ALL_WITH_LIBTORCH};
use crate::peers::neon::{self, Emulator};
use crate::peers::real_servers::{self, Servers};
use crate::{
    checks::deny,
    dashboard,
    delivery::deploy,
    docs::book,
    peers::{promtool, pytorch, schemathesis, wheel},
};

/// An example that a test run also runs, with settings that keep it to seconds.
struct Example {
    name: &'static str,
    arguments: &'static [&'static str],
    needs: Needs,
}

/// What must be at hand for a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    Rust,
    Libtorch,
}

/// The examples that are run. All others are built, as the tests are.
const EXAMPLES: &[Example] = &[
    Example { name: "quickstart", arguments: &[], needs: Needs::Rust },
    Example { name: "failure_rules", arguments: &[], needs: Needs::Rust },
    Example { name: "windows", arguments: &[], needs: Needs::Rust },
    Example { name: "larger_than_memory", arguments: &[], needs: Needs::Rust },
    Example { name: "chaos", arguments: &[], needs: Needs::Rust },
    Example { name: "explain", arguments: &[], needs: Needs::Rust },
    Example { name: "calibrate", arguments: &[], needs: Needs::Rust },
    Example { name: "custom_model", arguments: &[], needs: Needs::Rust },
    Example { name: "train_and_serve", arguments: &[], needs: Needs::Rust },
    Example { name: "libtorch", arguments: &[], needs: Needs::Libtorch },
];

/// The run of the program that trains through libtorch.
const LIBTORCH_PROGRAM: &[&str] = &[
    "evaluate",
    "--days",
    "4",
    "--models",
    "lstm",
    "--trainer",
    "libtorch",
    "--output",
    "target/evaluate_libtorch",
];

/// Why steps that need a browser are skipped.
const NO_BROWSER: &str = "no Chromium or Chrome is here to open the page: set FOREWARN_BROWSER to one";

/// The package of the program.
const PROGRAM_PACKAGE: &str = "forewarn-cli";

/// The package of `examples/`.
const EXAMPLES_PACKAGE: &str = "forewarn-examples";

/// The package of `benches/`.
const BENCHES_PACKAGE: &str = "forewarn-benches";

/// Members that are no library.
const PROGRAMS: &[&str] = &[EXAMPLES_PACKAGE, BENCHES_PACKAGE, PROGRAM_PACKAGE, "xtask"];

/// The benchmark that can train through libtorch.
const LIBTORCH_BENCH: &str = "beside_pytorch";

/// One step of a test run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// A word or two.
    pub(super) name: String,
    /// What it shows.
    pub(super) shows: &'static str,
    pub(super) action: Action,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Runs cargo, once for each list of arguments.
    Cargo(Vec<Vec<String>>),
    /// Runs what cargo builds.
    Built(Built),
    /// Checks the layer rules.
    Layers,
    /// Checks where pages point to.
    Links,
    /// Runs the commands of the tutorial.
    Tutorial,
    /// Runs the commands of the how-to guides.
    Pages,
    /// Packages all crates.
    Packages,
    /// Builds the documentation site by this mdBook, and checks its links.
    Book(PathBuf),
    /// Renders and validates deployment files by what this Python has.
    Deploy(PathBuf),
    /// Finds or fetches libtorch.
    Libtorch,
    /// Compares figures with scikit-learn.
    Sklearn,
    /// Checks the report's page in this browser.
    Page(PathBuf),
    /// Builds the web page by this npm and compares it with what is committed.
    Dashboard(PathBuf),
    /// Tests the web page in a browser.
    DashboardPages {
        /// The npm that runs the tests.
        npm: PathBuf,
        /// The browser.
        browser: PathBuf,
    },
    /// Checks licences, versions and sources of dependencies by this cargo-deny.
    Deny(PathBuf),
    /// Tests the recipes' queries in this promtool.
    Promtool(PathBuf),
    /// Tests the live service beside these servers.
    RealServers(Servers),
    /// Runs the tests of vector code on this emulator.
    Neon(Emulator),
    /// Compares scores with those of the PyTorch that this Python has.
    Pytorch(OsString),
    /// Has this schemathesis call the HTTP API.
    Api(PathBuf),
    /// Builds the wheel of the Python module by this maturin, and tests it.
    Python(PathBuf),
    /// Tests the module on a Spark cluster that this Python has the programs of.
    Spark(PathBuf),
    /// Does nothing, for the reason given.
    Skip(String),
}

/// A program of the workspace in the test profile. It is built with the features of the whole workspace, as the tests
/// are: `cargo run --package` would compile most crates again, with those that the package alone asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Built {
    pub(super) kind: Kind,
    pub(super) name: &'static str,
    pub(super) needs: Needs,
    pub(super) arguments: &'static [&'static str],
}

impl Built {
    /// What cargo builds it with.
    pub(super) fn cargo(&self) -> Vec<String> {
        let kind = match self.kind {
            Kind::Bin => "--bin",
            Kind::Example => "--example",
        };
        let features = match self.needs {
            Needs::Rust => ALL_BUT_LIBTORCH,
            Needs::Libtorch => ALL_WITH_LIBTORCH,
        };
        words(&format!("build --quiet --profile test --workspace {features} {kind} {}", self.name))
    }

    /// Where cargo puts it, below the target folder.
    pub(super) fn folder(&self) -> &'static str {
        match self.kind {
            Kind::Bin => "debug",
            Kind::Example => "debug/examples",
        }
    }
}

/// Which of cargo's targets a program is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bin,
    Example,
}

/// What there is to run.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    packages: BTreeSet<String>,
    examples: BTreeSet<String>,
    benches: BTreeSet<String>,
    book: Option<PathBuf>,
    browser: Option<PathBuf>,
    deploy: Option<PathBuf>,
    npm: Option<PathBuf>,
    emulator: Option<Emulator>,
    promtool: Option<PathBuf>,
    deny: Option<PathBuf>,
    pytorch: Option<OsString>,
    schemathesis: Option<PathBuf>,
    real_servers: Option<Servers>,
    python: Option<PathBuf>,
    spark: Option<PathBuf>,
}

impl Found {
    pub(super) fn in_workspace(metadata: &Metadata) -> Self {
        let packages = metadata.workspace_packages();
        let targets = packages.iter().flat_map(|package| &package.targets);
        let examples = targets.filter(|target| target.kind.contains(&TargetKind::Example));
        let benches = packages.iter().filter(|package| package.name == BENCHES_PACKAGE);
        let benches = benches.flat_map(|package| &package.targets);
        let benches = benches.filter(|target| target.kind.contains(&TargetKind::Bench));
        Self {
            packages: packages.iter().map(|package| package.name.to_string()).collect(),
            examples: examples.map(|target| target.name.clone()).collect(),
            benches: benches.map(|target| target.name.clone()).collect(),
            book: None,
            browser: None,
            deploy: None,
            npm: None,
            emulator: None,
            promtool: None,
            deny: None,
            pytorch: None,
            schemathesis: None,
            real_servers: None,
            python: None,
            spark: None,
        }
    }

    pub(super) fn with_book(self, book: Option<PathBuf>) -> Self {
        Self { book, ..self }
    }

    pub(super) fn with_deploy(self, deploy: Option<PathBuf>) -> Self {
        Self { deploy, ..self }
    }

    pub(super) fn with_browser(self, browser: Option<PathBuf>) -> Self {
        Self { browser, ..self }
    }

    pub(super) fn with_npm(self, npm: Option<PathBuf>) -> Self {
        Self { npm, ..self }
    }

    pub(super) fn with_emulator(self, emulator: Option<Emulator>) -> Self {
        Self { emulator, ..self }
    }

    pub(super) fn with_promtool(self, promtool: Option<PathBuf>) -> Self {
        Self { promtool, ..self }
    }

    pub(super) fn with_deny(self, deny: Option<PathBuf>) -> Self {
        Self { deny, ..self }
    }

    pub(super) fn with_real_servers(self, real_servers: Option<Servers>) -> Self {
        Self { real_servers, ..self }
    }

    pub(super) fn with_pytorch(self, python: Option<OsString>) -> Self {
        Self { pytorch: python, ..self }
    }

    pub(super) fn with_python(self, maturin: Option<PathBuf>) -> Self {
        Self { python: maturin, ..self }
    }

    pub(super) fn with_spark(self, spark: Option<PathBuf>) -> Self {
        Self { spark, ..self }
    }

    pub(super) fn with_schemathesis(self, schemathesis: Option<PathBuf>) -> Self {
        Self { schemathesis, ..self }
    }
}

/// All steps, the quick ones first.
pub(super) fn steps(found: &Found, scope: Scope) -> Vec<Step> {
    let libraries = found.packages.iter().filter(|package| !PROGRAMS.contains(&package.as_str()));
    let alone = libraries.map(|library| format!("clippy --package {library} -- -D warnings"));
    let bench = if found.benches.is_empty() {
        Action::Skip(format!("there is no package {BENCHES_PACKAGE}"))
    } else {
        let benches: String = found.benches.iter().map(|bench| format!(" --bench {bench}")).collect();
        cargo(&format!("test --workspace {ALL_BUT_LIBTORCH}{benches} -- --test"))
    };
    let mut steps = vec![
        step("format", "all code is formatted", cargo("fmt --all --check")),
        step("layers", "no crate depends on one that its layer may not know", Action::Layers),
        step("links", "files, headings and examples that pages point to are there", Action::Links),
        step(
            "dependencies",
            "licences, versions and sources of all that is built with are allowed ones",
            found.deny.clone().map_or_else(|| Action::Skip(deny::NOTHING.to_owned()), Action::Deny),
        ),
        step(
            "clippy",
            "no lint fires",
            cargo(&format!("clippy --workspace --all-targets {ALL_BUT_LIBTORCH} -- -D warnings")),
        ),
        step(
            "alone",
            "each library builds with its default features, without those that others turn on",
            Action::Cargo(alone.map(|line| words(&line)).collect()),
        ),
        step(
            "test",
            "unit tests, integration tests and doc-tests pass, examples build",
            cargo(&format!("test --workspace {ALL_BUT_LIBTORCH}")),
        ),
        step("bench", "each benchmark runs once", bench),
        step(
            "doc",
            "the docs build without a warning",
            cargo(&format!("doc --workspace --no-deps {ALL_BUT_LIBTORCH}")),
        ),
    ];
    steps.extend(examples(found, Needs::Rust));
    steps.extend(program(found));
    steps.extend(handed_out(found));
    if scope.sklearn == Sklearn::Included {
        steps.push(step("scikit-learn", "figures are those of scikit-learn", Action::Sklearn));
    }
    let pytorch =
        found.pytorch.clone().map_or_else(|| Action::Skip(pytorch::NOTHING.to_owned()), Action::Pytorch);
    steps.push(step("pytorch", "PyTorch reads saved models and gives the same scores", pytorch));
    let page = found.browser.clone().map_or_else(|| Action::Skip(NO_BROWSER.to_owned()), Action::Page);
    steps.push(step("page", "the report's page is sound in a headless browser", page));
    steps.extend(web(found));
    let promtool =
        found.promtool.clone().map_or_else(|| Action::Skip(promtool::NOTHING.to_owned()), Action::Promtool);
    steps.push(step("promtool", "Prometheus computes for the recipes what was worked out by hand", promtool));
    let api = found
        .schemathesis
        .clone()
        .map_or_else(|| Action::Skip(schemathesis::NOTHING.to_owned()), Action::Api);
    steps.push(step("api", "the HTTP API does what its document says", api));
    let servers = found
        .real_servers
        .clone()
        .map_or_else(|| Action::Skip(real_servers::NOTHING.to_owned()), Action::RealServers);
    steps.push(step(
        "real servers",
        "the live service works beside Prometheus, Alertmanager and vmagent",
        servers,
    ));
    let neon = found.emulator.clone().map_or_else(|| Action::Skip(neon::NOTHING.to_owned()), Action::Neon);
    steps.push(step("neon", "vector code passes its tests on an emulated 64-bit Arm processor", neon));
    steps.extend(module(found));
    if scope.libtorch == Libtorch::Included {
        // In a workspace of their own: they are run by a nightly compiler, but any can check them.
        steps.push(step(
            "fuzz",
            "the fuzz targets build",
            cargo("clippy --manifest-path fuzz/Cargo.toml -- -D warnings"),
        ));
        steps.push(step("libtorch", "a libtorch is at hand", Action::Libtorch));
        steps.push(step(
            "libtorch clippy",
            "no lint fires with libtorch",
            cargo(&format!("clippy --workspace --all-targets {ALL_WITH_LIBTORCH} -- -D warnings")),
        ));
        // The one crate that names it. The others pass the feature on: an example and the program below use it.
        steps.push(step(
            "libtorch test",
            "the tests of libtorch pass, and the crate's others with it",
            cargo("test --package forewarn-recurrent --features libtorch"),
        ));
        if found.benches.contains(LIBTORCH_BENCH) {
            steps.push(step(
                "libtorch bench",
                "the benchmark of training through libtorch runs once",
                cargo(&format!("test --workspace {ALL_WITH_LIBTORCH} --bench {LIBTORCH_BENCH} -- --test")),
            ));
        }
        steps.extend(examples(found, Needs::Libtorch));
        if found.packages.contains(PROGRAM_PACKAGE) {
            let program = Built {
                kind: Kind::Bin,
                name: "forewarn",
                needs: Needs::Libtorch,
                arguments: LIBTORCH_PROGRAM,
            };
            steps.push(step(
                "libtorch program",
                "the program trains through libtorch",
                Action::Built(program),
            ));
        }
    }
    steps
}

/// The program by the commands of the tutorial and of the guides: from the root, in the release profile.
fn program(found: &Found) -> Vec<Step> {
    if !found.packages.contains(PROGRAM_PACKAGE) {
        let reason = format!("there is no package {PROGRAM_PACKAGE}");
        return vec![step("tutorial", "its commands run to their end", Action::Skip(reason))];
    }
    vec![
        step("tutorial", "its commands run to their end, as they stand", Action::Tutorial),
        step("guides", "the commands of the how-to guides run to their end", Action::Pages),
    ]
}

/// What people get: packages, the documentation site, deployment files.
fn handed_out(found: &Found) -> [Step; 3] {
    let book = found.book.clone().map_or_else(|| Action::Skip(book::NOTHING.to_owned()), Action::Book);
    let deploy =
        found.deploy.clone().map_or_else(|| Action::Skip(deploy::NOTHING.to_owned()), Action::Deploy);
    [
        step("packages", "every crate can be packaged as for a release", Action::Packages),
        step("book", "the documentation site is built, and its links lead somewhere", book),
        step("deploy", "deployment files are what their programs expect", deploy),
    ]
}

/// The Python module: its wheel, and its use on a cluster.
fn module(found: &Found) -> [Step; 2] {
    let wheel =
        found.python.clone().map_or_else(|| Action::Skip(wheel::NO_PYTHON.to_owned()), Action::Python);
    let spark = match (&found.python, found.spark.clone()) {
        (Some(_), Some(python)) => Action::Spark(python),
        (None, _) => Action::Skip(wheel::NO_PYTHON.to_owned()),
        (_, None) => Action::Skip(wheel::NO_SPARK.to_owned()),
    };
    [
        step("python", "the wheel works in a clean virtual environment, with the program's figures", wheel),
        step("spark", "a cluster gives the bytes of one process, also when a machine fails", spark),
    ]
}

/// The web page: its build, and its tests in a browser.
fn web(found: &Found) -> [Step; 2] {
    let build =
        found.npm.clone().map_or_else(|| Action::Skip(dashboard::NOTHING.to_owned()), Action::Dashboard);
    let pages = match (found.npm.clone(), found.browser.clone()) {
        (Some(npm), Some(browser)) => Action::DashboardPages { npm, browser },
        (None, _) => Action::Skip(dashboard::NOTHING.to_owned()),
        (_, None) => Action::Skip(NO_BROWSER.to_owned()),
    };
    [
        step("dashboard", "the web page is what its sources give, and their tests pass", build),
        step("dashboard pages", "every page of it is sound in a headless browser", pages),
    ]
}

/// The runs of the examples.
fn examples(found: &Found, needs: Needs) -> impl Iterator<Item = Step> {
    EXAMPLES.iter().filter(move |example| example.needs == needs).map(move |example| {
        let action = if found.examples.contains(example.name) {
            let (name, arguments) = (example.name, example.arguments);
            Action::Built(Built { kind: Kind::Example, name, needs, arguments })
        } else {
            Action::Skip(format!("there is no example {}", example.name))
        };
        step(&format!("example {}", example.name), "it runs to its end", action)
    })
}

fn step(name: &str, shows: &'static str, action: Action) -> Step {
    Step { name: name.to_owned(), shows, action }
}

/// One run of cargo, its arguments parted by blanks.
fn cargo(line: &str) -> Action {
    Action::Cargo(vec![words(line)])
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use cargo_metadata::MetadataCommand;

    use super::*;

    const WITHOUT: Scope = Scope { libtorch: Libtorch::LeftOut, sklearn: Sklearn::LeftOut };

    fn found() -> Found {
        let metadata =
            MetadataCommand::new().manifest_path(crate::root().join("Cargo.toml")).no_deps().exec();
        Found::in_workspace(&metadata.unwrap())
    }

    /// Every line that cargo is run with.
    fn lines(steps: &[Step]) -> Vec<String> {
        let runs = steps.iter().flat_map(|step| match &step.action {
            Action::Cargo(runs) => runs.iter().map(|run| run.join(" ")).collect(),
            Action::Built(built) => vec![built.cargo().join(" ")],
            _ => Vec::new(),
        });
        runs.collect()
    }

    #[test]
    fn without_libtorch_no_step_turns_it_on() {
        let steps = steps(&found(), WITHOUT);
        assert!(!steps.iter().any(|step| step.action == Action::Libtorch));
        assert!(!lines(&steps).iter().any(|line| line.contains("libtorch")));
    }

    #[test]
    fn libtorch_is_at_hand_before_it_is_turned_on_and_no_test_but_its_own_is_built_again_for_it() {
        let steps = steps(&found(), Scope::WHOLE);
        let fetched = steps.iter().position(|step| step.action == Action::Libtorch).unwrap();
        let turned_on =
            |step: &Step| lines(std::slice::from_ref(step)).iter().any(|line| line.contains("libtorch"));
        assert!(!steps[..fetched].iter().any(turned_on));
        assert!(steps[fetched + 1..].iter().all(turned_on));
        let own = ["--package forewarn-recurrent", "--bench", "--example", "--bin"];
        for line in lines(&steps).iter().filter(|line| line.contains("libtorch") && !line.contains("clippy"))
        {
            assert!(own.iter().any(|own| line.contains(own)), "{line}");
        }
    }

    #[test]
    fn what_is_compiled_with_the_tests_is_compiled_with_their_features() {
        let steps = steps(&found(), WITHOUT);
        let built = |step: &&Step| step.name == "bench" || step.name.starts_with("example");
        let lines = lines(&steps.iter().filter(built).cloned().collect::<Vec<Step>>());
        assert!(lines.len() > 5);
        for line in lines {
            assert!(line.contains(&format!("--workspace {ALL_BUT_LIBTORCH}")), "{line}");
        }
    }

    #[test]
    fn each_library_and_no_program_is_built_alone() {
        let steps = steps(&found(), WITHOUT);
        let alone = lines(&[steps.into_iter().find(|step| step.name == "alone").unwrap()]);
        assert!(alone.contains(&"clippy --package forewarn-schema -- -D warnings".to_owned()));
        assert!(alone.contains(&"clippy --package forewarn -- -D warnings".to_owned()));
        assert!(!alone.iter().any(|line| PROGRAMS.iter().any(|program| line.contains(program))));
    }

    #[test]
    fn every_example_that_is_to_be_run_is_there() {
        let found = found();
        for example in EXAMPLES {
            assert!(found.examples.contains(example.name), "there is no example {}", example.name);
        }
    }

    #[test]
    fn what_is_not_there_is_skipped_by_name() {
        let steps = steps(&Found::default(), WITHOUT);
        let bench = steps.iter().find(|step| step.name == "bench").unwrap();
        assert_eq!(bench.action, Action::Skip("there is no package forewarn-benches".to_owned()));
    }

    #[test]
    fn scikit_learn_the_browser_the_emulator_promtool_schemathesis_and_pytorch_take_part_where_they_can() {
        let action = |found: &Found, scope, name: &str| {
            steps(found, scope).into_iter().find(|step| step.name == name).map(|step| step.action)
        };
        let emulator = Emulator { linker: "gcc".into(), runner: "qemu".into() };
        let found = Found::default()
            .with_browser(Some("/usr/bin/chromium".into()))
            .with_emulator(Some(emulator.clone()));
        assert_eq!(action(&found, Scope::WHOLE, "scikit-learn"), Some(Action::Sklearn));
        assert_eq!(action(&found, WITHOUT, "scikit-learn"), None);
        assert_eq!(action(&found, WITHOUT, "page"), Some(Action::Page("/usr/bin/chromium".into())));
        let Some(Action::Skip(reason)) = action(&Found::default(), WITHOUT, "page") else {
            panic!("no reason")
        };
        assert!(reason.contains("FOREWARN_BROWSER"), "{reason}");
        assert_eq!(action(&found, WITHOUT, "neon"), Some(Action::Neon(emulator)));
        assert_eq!(action(&Found::default(), WITHOUT, "neon"), Some(Action::Skip(neon::NOTHING.to_owned())));
        let promtool: PathBuf = "/usr/bin/promtool".into();
        let with_promtool = Found::default().with_promtool(Some(promtool.clone()));
        assert_eq!(action(&with_promtool, WITHOUT, "promtool"), Some(Action::Promtool(promtool)));
        let with_deny = Found::default().with_deny(Some("/usr/bin/cargo-deny".into()));
        let expected = Action::Deny("/usr/bin/cargo-deny".into());
        assert_eq!(action(&with_deny, WITHOUT, "dependencies"), Some(expected));
        let skipped = Action::Skip(promtool::NOTHING.to_owned());
        assert_eq!(action(&Found::default(), WITHOUT, "promtool"), Some(skipped));
        let with_schemathesis = Found::default().with_schemathesis(Some("/bin/schemathesis".into()));
        assert_eq!(action(&with_schemathesis, WITHOUT, "api"), Some(Action::Api("/bin/schemathesis".into())));
        let skipped = Action::Skip(schemathesis::NOTHING.to_owned());
        assert_eq!(action(&Found::default(), WITHOUT, "api"), Some(skipped));
        let skipped = Action::Skip(real_servers::NOTHING.to_owned());
        assert_eq!(action(&Found::default(), WITHOUT, "real servers"), Some(skipped));
        let found = Found::default().with_pytorch(Some("python3".into()));
        assert_eq!(action(&found, WITHOUT, "pytorch"), Some(Action::Pytorch("python3".into())));
        let skipped = Action::Skip(pytorch::NOTHING.to_owned());
        assert_eq!(action(&Found::default(), WITHOUT, "pytorch"), Some(skipped));
    }

    #[test]
    fn what_is_handed_out_is_checked_where_its_programs_are() {
        let actions = |found: &Found| handed_out(found).map(|step| step.action);
        let skipped = [book::NOTHING, deploy::NOTHING].map(|reason| Action::Skip(reason.to_owned()));
        let [book, deploy] = skipped;
        assert_eq!(actions(&Found::default()), [Action::Packages, book, deploy]);
        let (mdbook, python): (PathBuf, PathBuf) = ("/bin/mdbook".into(), "/venv/bin/python".into());
        let found = Found::default().with_book(Some(mdbook.clone())).with_deploy(Some(python.clone()));
        assert_eq!(actions(&found), [Action::Packages, Action::Book(mdbook), Action::Deploy(python)]);
    }

    #[test]
    fn the_python_module_takes_part_where_maturin_is_and_a_cluster_where_spark_is_too() {
        let actions = |found: &Found| module(found).map(|step| step.action);
        let (maturin, python): (PathBuf, PathBuf) = ("/venv/bin/maturin".into(), "/venv/bin/python".into());
        let no_python = Action::Skip(wheel::NO_PYTHON.to_owned());
        assert_eq!(actions(&Found::default()), [no_python.clone(), no_python]);
        let found = Found::default().with_python(Some(maturin.clone()));
        let no_spark = Action::Skip(wheel::NO_SPARK.to_owned());
        assert_eq!(actions(&found), [Action::Python(maturin.clone()), no_spark]);
        let found = found.with_spark(Some(python.clone()));
        assert_eq!(actions(&found), [Action::Python(maturin), Action::Spark(python)]);
    }

    #[test]
    fn the_web_page_takes_part_where_node_is_and_its_pages_where_a_browser_is_too() {
        let actions = |found: &Found| web(found).map(|step| step.action);
        let (npm, browser): (PathBuf, PathBuf) = ("/usr/bin/npm".into(), "/usr/bin/chromium".into());
        let no_node = Action::Skip(dashboard::NOTHING.to_owned());
        assert_eq!(actions(&Found::default()), [no_node.clone(), no_node]);
        let found = Found::default().with_npm(Some(npm.clone()));
        assert_eq!(actions(&found), [Action::Dashboard(npm.clone()), Action::Skip(NO_BROWSER.to_owned())]);
        let found = found.with_browser(Some(browser.clone()));
        assert_eq!(
            actions(&found),
            [Action::Dashboard(npm.clone()), Action::DashboardPages { npm, browser }]
        );
    }
}
