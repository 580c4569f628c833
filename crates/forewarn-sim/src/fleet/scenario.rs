//! Scenarios from and to TOML files.

use crate::SimError;
use crate::fleet::{Blueprint, FaultKind, FaultSchedule, Fleet, Injection, Load, PlannedCall, Service};
use forewarn_core::{SMALL_FILE_BYTES, read_text_file};
use forewarn_schema::{Timestamp, printable};
use serde::{Deserialize, Deserializer, Serialize, de};
use std::{fmt, path::Path};

/// A scenario as a file has it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(skip_serializing_if = "Option::is_none")]
    graph: Option<Ready>,
    #[serde(skip_serializing_if = "Option::is_none")]
    layered: Option<Layered>,
    #[serde(skip_serializing_if = "Option::is_none")]
    minutes: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    days: Option<f64>,
    #[serde(default)]
    seed: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_call_minutes: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    usual_faults: Option<f64>,
    #[serde(default)]
    load: Load,
    #[serde(default = "FaultSchedule::none")]
    faults: FaultSchedule,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    services: Vec<Service>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    calls: Vec<PlannedCall>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    inject: Vec<Inject>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum Ready {
    Shop,
    Twelve,
}

impl<'de> Deserialize<'de> for Ready {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl de::Visitor<'_> for Name {
            type Value = Ready;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"shop\" or \"twelve\"; layered = { services = 300 } and [[services]] are keys beside graph")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Ready, E> {
                match name {
                    "shop" => Ok(Ready::Shop),
                    "twelve" => Ok(Ready::Twelve),
                    _ => Err(E::invalid_value(de::Unexpected::Str(name), &self)),
                }
            }
        }
        deserializer.deserialize_str(Name)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Layered {
    services: usize,
    #[serde(default)]
    seed: u64,
}

/// An injection of which only kind and target must be said.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Inject {
    at_minute: usize,
    kind: FaultKind,
    target: String,
    severity: Option<f64>,
    ramp_minutes: Option<f64>,
    duration_minutes: Option<f64>,
    recovery_minutes: Option<f64>,
}

impl Inject {
    fn injection(&self) -> Injection {
        let usual = Injection::new(self.kind, self.target.as_str());
        Injection {
            severity: self.severity.unwrap_or(usual.severity),
            ramp_minutes: self.ramp_minutes.unwrap_or(usual.ramp_minutes),
            duration_minutes: self.duration_minutes.unwrap_or(usual.duration_minutes),
            recovery_minutes: self.recovery_minutes.unwrap_or(usual.recovery_minutes),
            ..usual
        }
    }
}

/// As TOML writes a scenario:
///
/// ```
/// use forewarn_sim::fleet::Fleet;
///
/// let fleet = Fleet::from_toml(r#"
///     graph = "shop"              # or "twelve"; in place of the key graph: layered = { services = 300, seed = 1 }, or [[services]] and [[calls]]
///     minutes = 240               # or days = 2.5
///     seed = 7
///     start = "2024-03-01T18:00:00Z"
///     usual_faults = 0.0          # faults that come by themselves: times as many as usual; [faults] sets single kinds
///
///     [load]
///     level = 0.9
///
///     [faults]
///     deploy = 2.0                # a day and service
///
///     [[inject]]
///     at_minute = 60
///     kind = "memory-leak"
///     target = "user"
///     severity = 0.8
///     duration_minutes = 90
/// "#)?;
/// assert_eq!(fleet.blueprint().services().len(), 4);
/// assert_eq!(Fleet::from_toml(&fleet.to_toml()?)?, fleet);
///
/// let error = Fleet::from_toml("graph = 'shop'\nminutes = 9\n[[inject]]\nat_minute = 1\nkind = 'pod-kil'\ntarget = 'user'").unwrap_err();
/// assert!(error.to_string().starts_with("no scenario in this TOML, at inject[0].kind: unknown variant `pod-kil`"));
/// # Ok::<(), forewarn_sim::SimError>(())
/// ```
impl Fleet {
    /// Reads a scenario from TOML. What is not said is as in [`Fleet::new`], but for faults: those that come by
    /// themselves must be asked for.
    ///
    /// # Errors
    /// [`SimError::UnreadableScenario`] with field and line, or with what [`Fleet`] and [`Blueprint::new`] refuse.
    pub fn from_toml(text: &str) -> Result<Self, SimError> {
        let unreadable = |field: String, error: toml::de::Error| {
            let line = error.span().map(|span| text[..span.start].matches('\n').count() + 1);
            let place = line.map_or(String::new(), |line| format!(" (line {line})"));
            let reason = format!("{}{place}", printable(error.message().trim_end()));
            SimError::UnreadableScenario { field: printable(&field), reason }
        };
        let document = toml::Deserializer::parse(text).map_err(|error| unreadable(".".to_owned(), error))?;
        let file: File = serde_path_to_error::deserialize(document)
            .map_err(|error| unreadable(error.path().to_string(), error.into_inner()))?;
        file.fleet()
    }

    /// Reads a scenario from a TOML file of at most 16 MiB.
    ///
    /// # Errors
    /// [`SimError::UnreadablePath`], and as [`from_toml`](Self::from_toml).
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self, SimError> {
        let path = path.as_ref();
        let unreadable = |source| SimError::UnreadablePath { path: path.to_owned(), source };
        Self::from_toml(&read_text_file(path, SMALL_FILE_BYTES).map_err(unreadable)?)
    }

    /// Writes the scenario as TOML, with all of its services and calls.
    ///
    /// # Errors
    /// [`SimError::UnwritableScenario`].
    pub fn to_toml(&self) -> Result<String, SimError> {
        let inject = self.injections.iter().map(|(at_minute, injection)| Inject {
            at_minute: *at_minute,
            kind: injection.kind,
            target: injection.target.clone(),
            severity: Some(injection.severity),
            ramp_minutes: Some(injection.ramp_minutes),
            duration_minutes: Some(injection.duration_minutes),
            recovery_minutes: Some(injection.recovery_minutes),
        });
        let file = File {
            graph: None,
            layered: None,
            minutes: Some(self.minutes),
            days: None,
            seed: self.seed,
            start: Some(self.start),
            on_call_minutes: Some(self.on_call_minutes.unwrap_or(0.0)),
            usual_faults: None,
            load: self.load.clone(),
            faults: self.faults.clone(),
            services: self.blueprint.services().to_vec(),
            calls: self.blueprint.calls().to_vec(),
            inject: inject.collect(),
        };
        toml::to_string(&file).map_err(|error| SimError::UnwritableScenario { reason: error.to_string() })
    }
}

impl File {
    fn fleet(self) -> Result<Fleet, SimError> {
        let at =
            |field: &str, reason: String| SimError::UnreadableScenario { field: field.to_owned(), reason };
        let given = [self.graph.is_some(), self.layered.is_some(), !self.services.is_empty()];
        let graph = match (&self.graph, &self.layered) {
            _ if given.iter().filter(|&&given| given).count() != 1 => {
                let reason = "say which services there are by one of graph, layered and [[services]]";
                return Err(at(".", reason.to_owned()));
            }
            (Some(Ready::Shop), _) => Blueprint::shop(),
            (Some(Ready::Twelve), _) => Blueprint::twelve(),
            (None, Some(layered)) => Blueprint::layered(layered.seed, layered.services)
                .map_err(|error| at("layered", error.to_string()))?,
            (None, None) => Blueprint::new(self.services, self.calls)
                .map_err(|error| at("services", error.to_string()))?,
        };
        let minutes = match (self.minutes, self.days) {
            (Some(minutes), None) => minutes,
            (None, Some(days)) if days > 0.0 && days < 1e6 => (days * 1_440.0).ceil() as usize,
            (None, Some(days)) => return Err(at("days", format!("{days}, expected a number above 0"))),
            _ => return Err(at("minutes", "say how long by one of minutes and days".to_owned())),
        };
        let usual = self.usual_faults.unwrap_or(0.0);
        let mut faults = FaultSchedule::none();
        if usual != 0.0 {
            let rates = FaultSchedule::default().per_service_day.into_iter();
            faults.per_service_day = rates.map(|(kind, rate)| (kind, rate * usual)).collect();
        }
        faults.per_service_day.extend(self.faults.per_service_day);
        let mut fleet = Fleet::new(graph, minutes, self.seed).with_load(self.load).with_faults(faults);
        if let Some(start) = self.start {
            fleet = fleet.with_start(start);
        }
        if let Some(minutes) = self.on_call_minutes {
            // Files say 0 for no engineer on call.
            fleet = fleet.with_on_call(Some(minutes).filter(|&minutes| minutes != 0.0));
        }
        // Each part by itself, to say where in the file it stands.
        fleet.check_span().map_err(|error| at("minutes", error.to_string()))?;
        fleet.load.check().map_err(|error| at("load", error.to_string()))?;
        fleet.faults.check().map_err(|error| at("faults", error.to_string()))?;
        fleet.check_on_call().map_err(|error| at("on_call_minutes", error.to_string()))?;
        for (index, inject) in self.inject.iter().enumerate() {
            let injection = inject.injection();
            fleet
                .check_injection(inject.at_minute, &injection)
                .map_err(|error| at(&format!("inject[{index}]"), error.to_string()))?;
            fleet = fleet.with_injection(inject.at_minute, injection);
        }
        Ok(fleet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refuses(text: &str, parts: &[&str]) {
        let error = Fleet::from_toml(text).unwrap_err().to_string();
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    }

    #[test]
    fn errors_say_where() {
        let shop = "graph = 'shop'\nminutes = 60\n";
        refuses("minutes = 7", &["at .:", "graph, layered and [[services]]"]);
        refuses("graph = 'shop'", &["at minutes", "minutes and days"]);
        refuses(
            "graph = 'bakery'\nminutes = 1",
            &["at graph", "\"bakery\", expected \"shop\" or \"twelve\"", "line 1"],
        );
        refuses(
            "graph = { layered = { services = 3 } }\nminutes = 1",
            &["at graph", "invalid type: map", "keys beside graph"],
        );
        refuses("graph = \"\\u001b[31m\"\nminutes = 1", &["at graph", "\\u{1b}[31m"]);
        refuses(&format!("{shop}sed = 7"), &["unknown field `sed`", "line 3"]);
        refuses(&format!("{shop}[load]\nlevel = -1"), &["at load", "level is -1"]);
        refuses(&format!("{shop}[load]\ndaily = [1.0]"), &["at load.daily", "length"]);
        refuses(&format!("{shop}[faults]\npod-kil = 1"), &["at faults", "pod-kil"]);
        let inject = |rest: &str| format!("{shop}[[inject]]\nat_minute = 5\n{rest}");
        refuses(&inject("kind = 'cpu-stress'"), &["at inject[0]", "missing field `target`"]);
        refuses(&inject("kind = 'cpu-stress'\ntarget = 'cart'"), &["at inject[0]", "no service \"cart\""]);
        refuses(
            &inject("kind = 'cpu-stress'\ntarget = 'user'\nseverity = 1.2"),
            &["inject[0]", "severity is 1.2"],
        );
        refuses(
            &inject("kind = 'cpu-stress'\ntarget = 'user'\nseverety = 1"),
            &["unknown field `severety`", "line 7"],
        );
        let own =
            "minutes = 1\n[[services]]\nname = 'a'\narrivals_per_second = 1\n[[services]]\nname = 'b'\n";
        refuses(
            &format!("{own}[[calls]]\nclient = 'a'\nserver = 'a'"),
            &["at services", "\"a\" calls itself"],
        );
        refuses(
            &format!("{own}[[calls]]\nclient = 'a'\nserver = 'b'\nprobability = 1.2"),
            &["call a -> b: probability is 1.2"],
        );
        refuses(&format!("{own}cpu_mms = 3"), &["at services[1]", "unknown field `cpu_mms`", "line 7"]);
        refuses("minutes = 1\nlayered = { services = 1 }", &["at layered", "at least 2"]);
        refuses("minutes = 0\ngraph = 'shop'", &["at minutes", "got 0"]);
        // A minute that would begin early again if it were counted in ticks of 64 bits.
        for at_minute in ["60", "1537228672809129302"] {
            let late =
                format!("{shop}[[inject]]\nat_minute = {at_minute}\nkind = 'pod-kill'\ntarget = 'user'");
            refuses(&late, &["at inject[0]", &format!("minute {at_minute}"), "ends after 60 minutes"]);
        }
        refuses(
            &format!("{shop}[load]\nlevel = 1e308"),
            &["at load", "level is 1e308", "0.000001 to 1,000,000"],
        );
        let huge = "minutes = 1\n[[services]]\nname = 'a'\narrivals_per_second = 1e308";
        refuses(huge, &["at services", "arrivals_per_second is 1e308"]);
        refuses(&format!("{shop}\"\\u001b[31m\" = 1"), &["unknown field `\\u{1b}[31m`"]);
    }

    #[test]
    fn a_file_says_all_that_a_fleet_is() {
        let fleet = Fleet::new(Blueprint::twelve(), 500, 3);
        let fleet = fleet.with_injection(7, Injection::new(FaultKind::IoDelay, "database"));
        let fleet = fleet.with_on_call(None).with_load(Load::steady(0.5));
        assert_eq!(Fleet::from_toml(&fleet.to_toml().unwrap()).unwrap(), fleet);
        let usual = Fleet::from_toml("graph = 'shop'\ndays = 1\nusual_faults = 1.0").unwrap();
        assert_eq!(usual.faults, FaultSchedule::default());
        assert_eq!(usual.minutes(), 1_440);
    }
}
