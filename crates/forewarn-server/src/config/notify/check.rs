//! Whether the tables of what goes out can be, and where their files are.

use super::{AlertsConfig, NamespaceLabel, TargetConfig, WebhookConfig};
use crate::{ServerError, WatchConfig, outgoing};
use std::path::{Path, PathBuf};

/// Templates that need no file.
pub(crate) const BUILT_IN_TEMPLATES: [&str; 4] = ["alertmanager", "slack", "discord", "teams"];

fn wrong(reason: String) -> ServerError {
    ServerError::Config { reason }
}

fn in_range(table: &str, name: &str, value: u64, least: u64, most: u64) -> Result<(), ServerError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(wrong(format!("{table}.{name}: found {value}, expected {least} to {most}")))
}

fn is_label_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !name.starts_with("__")
}

fn check_address(table: &str, name: &str, url: &str) -> Result<(), ServerError> {
    outgoing::check_address(url).map_err(|reason| wrong(format!("{table}.{name}: {reason}")))
}

impl AlertsConfig {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`ServerError::Config`] with the setting.
    pub(crate) fn check(&self) -> Result<(), ServerError> {
        in_range("alerts", "source_down_secs", self.source_down_secs.into(), 0, 86_400)?;
        in_range("alerts", "resend_secs", self.resend_secs.into(), 1, 3_600)?;
        in_range("alerts", "keep_resolved_secs", self.keep_resolved_secs.into(), 60, 86_400)?;
        for (name, value) in [
            ("alertname", &self.alertname),
            ("source_alertname", &self.source_alertname),
            ("slo_alertname", &self.slo_alertname),
            ("slo_severities.ticket", &self.slo_severities.ticket),
            ("slo_severities.page", &self.slo_severities.page),
            ("severities.high", &self.severities.high),
            ("severities.critical", &self.severities.critical),
            ("source_severity", &self.source_severity),
        ] {
            if value.is_empty() {
                return Err(wrong(format!("alerts.{name}: expected a name")));
            }
        }
        for (name, value) in &self.labels {
            let own = ["alertname", "service", "severity", "source", "slo"].contains(&name.as_str())
                || (name == "namespace" && self.namespace == NamespaceLabel::FromName);
            if own {
                let more =
                    if name == "namespace" { "; set namespace = \"none\" to give it here" } else { "" };
                return Err(wrong(format!("alerts.labels.{name}: is set by this service{more}")));
            }
            if !is_label_name(name) || value.is_empty() {
                return Err(wrong(format!(
                    "alerts.labels.{name:?}: expected letters, digits and _ for the name, and a value"
                )));
            }
        }
        let url = self.external_url.as_deref();
        url.map_or(Ok(()), |url| check_address("alerts", "external_url", url))
    }
}

impl TargetConfig {
    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        let host = || {
            let rest = self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest);
            rest.split(['/', '?', '#']).next().unwrap_or_default()
        };
        self.name.as_deref().unwrap_or_else(host)
    }

    /// Its address followed by `path`.
    pub(crate) fn url_of(&self, path: &str) -> String {
        format!("{}{path}", self.url.trim_end_matches('/'))
    }

    pub(in crate::config) fn check(&self, table: &str) -> Result<(), ServerError> {
        check_address(table, "url", &self.url)?;
        in_range(table, "timeout_secs", self.timeout_secs.into(), 1, 300)?;
        if self.name().is_empty() || self.name().contains(char::is_control) {
            return Err(wrong(format!("{table}.name: found {:?}, expected a name", self.name())));
        }
        if self.bearer_file.is_some() && self.basic.is_some() {
            return Err(wrong(format!("{table}: expected bearer_file or basic, not both")));
        }
        if self.basic.as_ref().is_some_and(|basic| basic.user.contains([':', '\n', '\r'])) {
            return Err(wrong(format!("{table}.basic.user: must not have a colon or a line break")));
        }
        for (name, value) in &self.headers {
            let token = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
            if name.is_empty() || !name.bytes().all(token) || value.contains(char::is_control) {
                return Err(wrong(format!("{table}.headers.{name:?}: cannot be a header")));
            }
        }
        Ok(())
    }

    pub(in crate::config) fn below(&mut self, folder: &Path) {
        let below = |path: &mut PathBuf| *path = folder.join(&*path);
        self.bearer_file.iter_mut().for_each(below);
        self.basic.iter_mut().map(|basic| &mut basic.password_file).for_each(below);
        self.tls.below(folder);
    }
}

impl WebhookConfig {
    fn check(&self) -> Result<(), ServerError> {
        self.target.check("webhook")?;
        in_range("webhook", "group_wait_secs", self.group_wait_secs.into(), 0, 600)?;
        in_range("webhook", "most_waiting", self.most_waiting as u64, 1, 100_000)?;
        in_range("webhook", "give_up_hours", self.give_up_hours.into(), 1, 168)?;
        if self.content_type.is_empty() || self.content_type.contains(char::is_control) {
            return Err(wrong(format!("webhook.content_type: found {:?}", self.content_type)));
        }
        Ok(())
    }
}

/// Refuses two targets of one kind and name.
fn unique<'a>(table: &str, targets: impl Iterator<Item = &'a TargetConfig>) -> Result<(), ServerError> {
    let mut names: Vec<&str> = targets.map(TargetConfig::name).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(twice) => {
            Err(wrong(format!("{table}: two are called {:?}; give each a name of its own", twice[0])))
        }
        None => Ok(()),
    }
}

impl WatchConfig {
    /// Checks every table of what goes out.
    pub(in crate::config) fn check_notify(&self) -> Result<(), ServerError> {
        self.alerts.check()?;
        for one in &self.alertmanagers {
            one.target.check("alertmanager")?;
        }
        unique("alertmanager", self.alertmanagers.iter().map(|one| &one.target))?;
        self.webhooks.iter().try_for_each(WebhookConfig::check)?;
        unique("webhook", self.webhooks.iter().map(|one| &one.target))?;
        for one in &self.remote_writes {
            one.target.check("remote_write")?;
            in_range("remote_write", "most_samples", one.most_samples as u64, 1_000, 10_000_000)?;
        }
        unique("remote_write", self.remote_writes.iter().map(|one| &one.target))?;
        let labels = &self.inbound.service_labels;
        if labels.is_empty() || labels.iter().any(|label| !is_label_name(label)) {
            return Err(wrong(format!("inbound.service_labels: found {labels:?}, expected names of labels")));
        }
        Ok(())
    }

    /// Makes relative paths of these tables begin at `folder`.
    pub(in crate::config) fn notify_below(&mut self, folder: &Path) {
        for webhook in &mut self.webhooks {
            webhook.secret_file.iter_mut().for_each(|path| *path = folder.join(&*path));
            if !BUILT_IN_TEMPLATES.contains(&webhook.template.as_str()) {
                webhook.template = folder.join(&webhook.template).to_string_lossy().into_owned();
            }
        }
        let targets = self.alertmanagers.iter_mut().map(|one| &mut one.target);
        let targets = targets.chain(self.webhooks.iter_mut().map(|one| &mut one.target));
        let targets = targets.chain(self.remote_writes.iter_mut().map(|one| &mut one.target));
        targets.for_each(|target| target.below(folder));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webhook(toml: &str) -> Result<WebhookConfig, String> {
        let config: WebhookConfig = toml::from_str(toml).map_err(|error| error.to_string())?;
        config.check().map_err(|error| error.to_string())?;
        Ok(config)
    }

    #[test]
    fn a_target_is_called_by_its_host_unless_it_has_a_name() {
        let config = webhook("url = \"https://chat.example:8443/hooks/1\"").unwrap();
        assert_eq!(config.target.name(), "chat.example:8443");
        assert_eq!(config.target.url_of("/x"), "https://chat.example:8443/hooks/1/x");
        assert!(config.send_resolved && config.template == "alertmanager");
        assert_eq!(webhook("url = \"http://a\"\nname = \"chat\"").unwrap().target.name(), "chat");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_field() {
        for (toml, told) in [
            ("url = \"http://a\"\nurll = 1", "urll"),
            ("url = \"ftp://a\"", "url"),
            ("url = \"http://\"", "url"),
            ("url = \"http://user:secret@a/\"", "password"),
            ("url = \"http://a\"\ntimeout_secs = 0", "timeout_secs"),
            ("url = \"http://a\"\nmost_waiting = 0", "most_waiting"),
            ("url = \"http://a\"\nheaders = { \"X Y\" = \"1\" }", "X Y"),
            (
                "url = \"http://a\"\nbearer_file = \"a\"\nbasic = { user = \"u\", password_file = \"p\" }",
                "not both",
            ),
        ] {
            let error = webhook(toml).unwrap_err();
            assert!(error.contains(told), "{toml}: {error}");
        }
    }

    #[test]
    fn labels_that_this_service_sets_are_refused() {
        let alerts = |labels: &str| -> Result<(), String> {
            let config: AlertsConfig = toml::from_str(labels).map_err(|error| error.to_string())?;
            config.check().map_err(|error| error.to_string())
        };
        assert_eq!(alerts("labels = { cluster = \"eu-1\", team = \"shop\" }"), Ok(()));
        assert_eq!(alerts("namespace = \"none\"\nlabels = { namespace = \"shop\" }"), Ok(()));
        for wrong in [
            "labels = { severity = \"page\" }",
            "labels = { namespace = \"shop\" }",
            "labels = { \"a-b\" = \"1\" }",
            "labels = { team = \"\" }",
            "resend_secs = 0",
            "alertname = \"\"",
        ] {
            assert!(alerts(wrong).is_err(), "{wrong}");
        }
    }

    const SMALLEST: &str = "[model]\npath = \"m\"\n[source]\nkind = \"simulator\"\n[store]\npath = \"s\"\n\
                            [events]\npath = \"e\"\n";

    #[test]
    fn two_targets_of_one_name_are_refused() {
        let both = format!(
            "{SMALLEST}[[alertmanager]]\nurl = \"http://a:1/\"\n[[alertmanager]]\nurl = \"http://a:1/prefix\"\n"
        );
        let error = WatchConfig::from_toml(&both).unwrap_err().to_string();
        assert!(error.contains("a:1"), "{error}");
    }

    #[test]
    fn files_are_below_the_folder_and_built_in_templates_are_none() {
        let text = format!(
            "{SMALLEST}[[webhook]]\nurl = \"http://a\"\nsecret_file = \"s\"\ntemplate = \"slack\"\n\
             [[webhook]]\nurl = \"http://b\"\ntemplate = \"own.j2\"\n\
             [[remote_write]]\nurl = \"http://c\"\nbearer_file = \"/run/token\"\n"
        );
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("forewarn.toml");
        std::fs::write(&path, text).unwrap();
        let config = WatchConfig::from_path(&path).unwrap();
        assert_eq!(config.webhooks[0].secret_file, Some(folder.path().join("s")));
        assert_eq!(config.webhooks[0].template, "slack");
        assert_eq!(Path::new(&config.webhooks[1].template), folder.path().join("own.j2"));
        assert_eq!(config.remote_writes[0].target.bearer_file.as_deref(), Some(Path::new("/run/token")));
    }
}
