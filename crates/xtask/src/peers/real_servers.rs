//! The servers that the live service is tested beside.

use std::path::{Path, PathBuf};

use crate::error::XtaskError;
use crate::{command, peers::promtool};

/// Why there is nothing to run.
pub(crate) const NOTHING: &str = "Prometheus with promtool, Alertmanager with amtool, and vmagent, are not all here: \
     install Debian's packages prometheus, prometheus-alertmanager and victoria-metrics, or set FOREWARN_PROMETHEUS, \
     FOREWARN_PROMTOOL, FOREWARN_ALERTMANAGER, FOREWARN_AMTOOL and FOREWARN_VMAGENT";

/// Where the servers are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Servers {
    prometheus: PathBuf,
    promtool: PathBuf,
    alertmanager: PathBuf,
    amtool: PathBuf,
    vmagent: PathBuf,
}

/// Those that variables name, else those on the search path; `None` unless all are there.
pub(crate) fn find() -> Option<Servers> {
    Some(Servers {
        prometheus: prometheus()?,
        promtool: promtool::find()?,
        alertmanager: alertmanager()?,
        amtool: find_one("FOREWARN_AMTOOL", "amtool")?,
        vmagent: find_one("FOREWARN_VMAGENT", "vmagent")?,
    })
}

/// The Prometheus at hand.
pub(crate) fn prometheus() -> Option<PathBuf> {
    find_one("FOREWARN_PROMETHEUS", "prometheus")
}

/// The Alertmanager at hand.
pub(crate) fn alertmanager() -> Option<PathBuf> {
    find_one("FOREWARN_ALERTMANAGER", "prometheus-alertmanager")
}

fn find_one(variable: &str, name: &str) -> Option<PathBuf> {
    let named = std::env::var_os(variable).filter(|named| !named.is_empty()).map(PathBuf::from);
    named.or_else(|| command::on_path(&[name, &format!("{name}.exe")]))
}

/// Pulls from, is pushed to by, tells and is scraped by servers on this machine.
///
/// # Errors
///
/// The check's.
pub(crate) fn check(root: &Path, servers: &Servers) -> Result<(), XtaskError> {
    let mut cargo = command::ignored_test(root, "real_servers::");
    let cargo = cargo
        .env("FOREWARN_PROMETHEUS", &servers.prometheus)
        .env("FOREWARN_PROMTOOL", &servers.promtool)
        .env("FOREWARN_ALERTMANAGER", &servers.alertmanager)
        .env("FOREWARN_AMTOOL", &servers.amtool)
        .env("FOREWARN_VMAGENT", &servers.vmagent);
    command::run(cargo)
}
