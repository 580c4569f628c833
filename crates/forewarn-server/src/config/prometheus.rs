use crate::{ServerError, runtime::TlsSettings};
use forewarn_core::read_text_file;
use forewarn_prometheus::{Matchers, ServiceLabels};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// A server of the Prometheus API that is asked for rows: Prometheus, Mimir, Thanos Query, VictoriaMetrics.
///
/// | name | meaning | default | range |
/// |---|---|---|---|
/// | `url` | where it is; a path is the prefix of its API | | `http://` or `https://` |
/// | `recipes` | built-in names, or paths in `.toml`; of two for a metric the first counts | | at least one |
/// | `name` | what events call it | `prometheus` | 1 to 200 characters |
/// | `services` | by recipe: the labels that name a service, and a map of names | the recipe's own labels | |
/// | `selector` | matchers for every series, such as `namespace="shop"`: they choose services | none | |
/// | `scrape_interval_secs` | seconds between two scrapes; rates are taken over four of them | 15 | 1 to 3,600 |
/// | `settle_secs` | seconds after a minute at which it is asked for | 15, 30 or 45, by the server | 0 to 3,600 |
/// | `timeout_secs` | seconds that an answer may take | 30 | 1 to 600 |
/// | `concurrency` | queries at the same time | 4 | 1 to 64 |
/// | `reread_minutes` | minutes that are read again for late changes | 5 | 0 to 60 |
/// | `backlog_minutes` | minutes that are made up for; older ones are missing | 360 | 1 to 10,080 |
/// | `warm_up_minutes` | minutes of the past that a new service begins with | 60 | 0 to 10,080 |
/// | `graph` | whether service graph metrics are read, every five minutes | `true` | |
/// | `other_queries` | a model that was trained on other queries: `refuse` or `flag` | `refuse` | |
/// | `bearer_file` | file with a token | none | |
/// | `basic` | `{ user, password_file }` | none | |
/// | `tenant` | sent as `X-Scope-OrgID` | none | |
/// | `tls` | `{ ca_file, certificate_file, key_file }`, in PEM | the system's authorities, no certificate | |
/// | `more` | further servers, each as this one, with names of their own | none | not nested |
///
/// Tokens and passwords are read from their files for each request, so that they may change. Paths are relative to the
/// configuration file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrometheusConfig {
    /// Where it is.
    pub url: String,
    /// Which recipes make the metrics.
    pub recipes: Vec<String>,
    /// What events call it.
    #[serde(default = "name")]
    pub name: String,
    /// How services are named, by recipe.
    #[serde(default)]
    pub services: BTreeMap<String, ServiceLabels>,
    /// Matchers for every series.
    #[serde(default)]
    pub selector: Matchers,
    /// Seconds between two scrapes.
    #[serde(default = "scrape_interval_secs")]
    pub scrape_interval_secs: u32,
    /// Seconds after the end of a minute at which it is asked for; by the kind of server unless set.
    #[serde(default)]
    pub settle_secs: Option<u32>,
    /// Seconds that an answer may take.
    #[serde(default = "timeout_secs")]
    pub timeout_secs: u32,
    /// Queries at the same time.
    #[serde(default = "concurrency")]
    pub concurrency: u32,
    /// Minutes that are read again.
    #[serde(default = "reread_minutes")]
    pub reread_minutes: u32,
    /// Minutes that are made up for.
    #[serde(default = "backlog_minutes")]
    pub backlog_minutes: u32,
    /// Minutes of the past that a new service begins with.
    #[serde(default = "warm_up_minutes")]
    pub warm_up_minutes: u32,
    /// Whether service graph metrics are read.
    #[serde(default = "graph")]
    pub graph: bool,
    /// What becomes of a model that was trained on other queries.
    #[serde(default)]
    pub other_queries: OtherQueries,
    /// File with a token.
    #[serde(default)]
    pub bearer_file: Option<PathBuf>,
    /// User and password.
    #[serde(default)]
    pub basic: Option<BasicConfig>,
    /// Tenant of a server that has several.
    #[serde(default)]
    pub tenant: Option<String>,
    /// Certificates.
    #[serde(default)]
    pub tls: TlsSettings,
    /// Further servers.
    #[serde(default)]
    pub more: Vec<PrometheusConfig>,
}

/// What becomes of a model whose file says that it was trained on other queries than are asked now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum OtherQueries {
    /// The service does not start.
    #[default]
    Refuse,
    /// It starts, and says so.
    Flag,
}

/// A user and a password.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BasicConfig {
    /// Name of the user.
    pub user: String,
    /// File with the password.
    pub password_file: PathBuf,
}

impl PrometheusConfig {
    /// A server at `url`, asked by these recipes, all else as by default.
    #[must_use]
    pub fn new<R: Into<String>>(url: impl Into<String>, recipes: impl IntoIterator<Item = R>) -> Self {
        Self {
            url: url.into(),
            recipes: recipes.into_iter().map(Into::into).collect(),
            name: name(),
            services: BTreeMap::new(),
            selector: Matchers::default(),
            scrape_interval_secs: scrape_interval_secs(),
            settle_secs: None,
            timeout_secs: timeout_secs(),
            concurrency: concurrency(),
            reread_minutes: reread_minutes(),
            backlog_minutes: backlog_minutes(),
            warm_up_minutes: warm_up_minutes(),
            graph: graph(),
            other_queries: OtherQueries::default(),
            bearer_file: None,
            basic: None,
            tenant: None,
            tls: TlsSettings::default(),
            more: Vec::new(),
        }
    }

    /// The `[source]` of a live service's configuration file, whatever else is in it.
    ///
    /// # Errors
    /// [`ServerError::File`] for a file that cannot be read, [`ServerError::Config`] for one without a source of the
    /// kind `prometheus`, or for a setting out of its range.
    pub fn from_path(path: &Path) -> Result<Self, ServerError> {
        #[derive(Deserialize)]
        struct File {
            source: Tagged,
        }
        #[derive(Deserialize)]
        #[serde(tag = "kind", rename_all = "kebab-case")]
        enum Tagged {
            Prometheus(Box<PrometheusConfig>),
        }
        let text = read_text_file(path, MOST_BYTES)
            .map_err(|source| ServerError::File { path: path.to_owned(), source })?;
        let wrong = |reason: &str| ServerError::Config {
            reason: format!("{}: {}", path.display(), reason.trim_end()),
        };
        let File { source: Tagged::Prometheus(mut config) } =
            toml::from_str(&text).map_err(|error| wrong(&error.to_string()))?;
        config.check().map_err(|error| wrong(&error.to_string()))?;
        config.below(path.parent().unwrap_or(Path::new("")));
        Ok(*config)
    }

    /// This server and the further ones.
    pub fn servers(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(&self.more)
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// [`ServerError::Config`] for the first that is out of its range.
    pub fn check(&self) -> Result<(), ServerError> {
        let mut names = std::collections::BTreeSet::new();
        for server in self.servers() {
            server.check_one()?;
            if !names.insert(&server.name) {
                let expected = "expected a `name` of its own for each server of `more`";
                return Err(wrong(format!(
                    "source.name: two servers are called {:?}: {expected}",
                    server.name
                )));
            }
        }
        if self.more.iter().any(|server| !server.more.is_empty()) {
            return Err(wrong("source.more.more: servers of `more` have no further ones".to_owned()));
        }
        Ok(())
    }

    fn check_one(&self) -> Result<(), ServerError> {
        let whole = [
            ("scrape_interval_secs", self.scrape_interval_secs, 1, 3_600),
            ("settle_secs", self.settle_secs.unwrap_or(0), 0, 3_600),
            ("timeout_secs", self.timeout_secs, 1, 600),
            ("concurrency", self.concurrency, 1, 64),
            ("reread_minutes", self.reread_minutes, 0, 60),
            ("backlog_minutes", self.backlog_minutes, 1, 10_080),
            ("warm_up_minutes", self.warm_up_minutes, 0, 10_080),
        ];
        for (setting, value, least, most) in whole {
            if !(least..=most).contains(&value) {
                return Err(wrong(format!("source.{setting} is {value}: expected {least} to {most}")));
            }
        }
        if self.recipes.is_empty() {
            return Err(wrong(
                "source.recipes is empty: expected names of recipes, or paths of their files".to_owned(),
            ));
        }
        if self.name.is_empty() || self.name.chars().count() > 200 || self.name.chars().any(char::is_control)
        {
            return Err(wrong(
                "source.name: expected 1 to 200 characters, none of them a control character".to_owned(),
            ));
        }
        if self.bearer_file.is_some() && self.basic.is_some() {
            return Err(wrong(
                "source.bearer_file and source.basic: expected one of them at most".to_owned(),
            ));
        }
        if self.tls.certificate_file.is_some() != self.tls.key_file.is_some() {
            return Err(wrong(
                "source.tls: expected both `certificate_file` and `key_file`, or neither".to_owned(),
            ));
        }
        Ok(())
    }

    /// Makes relative paths those of `folder`.
    pub(crate) fn below(&mut self, folder: &Path) {
        let place = |path: &mut PathBuf| *path = folder.join(&*path);
        for recipe in &mut self.recipes {
            if is_file(recipe) {
                *recipe = folder.join(&*recipe).to_string_lossy().into_owned();
            }
        }
        self.bearer_file.iter_mut().for_each(place);
        self.basic.iter_mut().for_each(|basic| place(&mut basic.password_file));
        self.tls.below(folder);
        self.more.iter_mut().for_each(|server| server.below(folder));
    }
}

/// Most bytes of a configuration file.
const MOST_BYTES: u64 = 1 << 20;

/// Whether an entry of `recipes` is a file, not a name.
pub(crate) fn is_file(recipe: &str) -> bool {
    Path::new(recipe).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"))
}

fn wrong(reason: String) -> ServerError {
    ServerError::Config { reason }
}

fn name() -> String {
    "prometheus".to_owned()
}

fn scrape_interval_secs() -> u32 {
    15
}

fn timeout_secs() -> u32 {
    30
}

fn concurrency() -> u32 {
    4
}

fn reread_minutes() -> u32 {
    5
}

fn backlog_minutes() -> u32 {
    360
}

fn warm_up_minutes() -> u32 {
    60
}

fn graph() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<PrometheusConfig, String> {
        let config: PrometheusConfig = toml::from_str(text).map_err(|error| error.to_string())?;
        config.check().map_err(|error| error.to_string())?;
        Ok(config)
    }

    #[test]
    fn two_lines_are_enough() {
        let config = read("url = \"http://p\"\nrecipes = [\"istio\"]").unwrap();
        assert_eq!(config, PrometheusConfig::new("http://p", ["istio"]));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_setting() {
        let small = "url = \"http://p\"\nrecipes = [\"istio\"]\n";
        for (line, told) in [
            ("reread_minutes = 61", "reread_minutes is 61"),
            ("concurrency = 0", "concurrency"),
            ("tls = { key_file = \"k\" }", "certificate_file"),
            ("bearer_file = \"t\"\nbasic = { user = \"u\", password_file = \"p\" }", "basic"),
            ("[[more]]\nurl = \"http://q\"\nrecipes = [\"spring\"]", "two servers are called"),
            ("selector = 'a=b'", "double quotes"),
            ("settel_secs = 3", "settel_secs"),
        ] {
            let error = read(&format!("{small}{line}")).unwrap_err();
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn a_source_is_found_in_the_file_of_a_service_with_its_paths() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("forewarn.toml");
        let text = "[model]\npath = \"m\"\n[source]\nkind = \"prometheus\"\nurl = \"http://p\"\n\
                    recipes = [\"istio\", \"own.toml\"]\nbearer_file = \"token\"\n";
        std::fs::write(&path, text).unwrap();
        let config = PrometheusConfig::from_path(&path).unwrap();
        assert_eq!(config.bearer_file, Some(folder.path().join("token")));
        assert_eq!(config.recipes[0], "istio");
        assert_eq!(Path::new(&config.recipes[1]), folder.path().join("own.toml"));
        std::fs::write(&path, text.replace("prometheus", "file")).unwrap();
        let error = PrometheusConfig::from_path(&path).unwrap_err().to_string();
        assert!(error.contains("forewarn.toml"), "{error}");
    }
}
