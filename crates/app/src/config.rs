//! Settings of the process: defaults, then `fulmar.toml`, then the environment. A key that is not known is an error that names it, so
//! that a typo never silently means the default.

use crate::Failure;
use figment::Figment;
use figment::error::Kind;
use figment::providers::{Env, Format, Toml};
use kernel::Secret;
use serde::Deserialize;
use std::path::Path;

/// What the process runs with.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `sqlite:PATH` or `postgres://…`.
    pub database_url: String,
    /// Address and port.
    pub listen: String,
    /// How the world reaches us, for links in e-mails and pages; without it `http://` and `listen`.
    pub public_url: Option<String>,
    /// Seals second factors and signs links to people; without it, a secret that the database keeps does.
    pub app_secret: Option<Secret<String>>,
    /// A proxy in front sets `X-Forwarded-For` and `X-Forwarded-Proto`.
    pub behind_proxy: bool,
    /// Connections of the database pool.
    pub connections: u32,
    /// Whether `serve` runs background jobs too.
    pub workers: bool,
    /// Seconds that running requests get to finish at shutdown.
    pub shutdown_s: u64,
    /// Logs.
    pub log: Log,
    /// Outgoing mail.
    pub smtp: Smtp,
    /// Traces.
    pub otel: Otel,
    /// Metrics.
    pub metrics: Metrics,
    /// Who runs this.
    pub merchant: Merchant,
}

/// Settings of logs.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// Text for people or JSON for machines.
    pub format: LogFormat,
    /// Directives as `info,orders=debug`; without them `info` where we serve and `warn` elsewhere.
    pub filter: Option<String>,
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One readable line.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Settings of outgoing mail.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Smtp {
    /// `smtp://user:password@host:587?tls=required` or `smtps://…`; without it mails are kept and not sent.
    pub url: Option<Secret<String>>,
    /// The sender.
    pub from: String,
}

/// Settings of OpenTelemetry traces.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Otel {
    /// An OTLP/HTTP collector, as `http://127.0.0.1:4318`; without it nothing is sent.
    pub endpoint: Option<String>,
    /// `service.name` of our spans.
    pub service_name: String,
}

/// Settings of `/metrics`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Metrics {
    /// Whether `/metrics` is served.
    pub enabled: bool,
    /// When set, `/metrics` wants `Authorization: Bearer` with it.
    pub token: Option<Secret<String>>,
}

/// The merchant, for invoices, packing slips, labels and e-mails.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Merchant {
    /// Name.
    pub name: Option<String>,
    /// Lines of the postal address.
    pub address: Vec<String>,
    /// Tax number printed on invoices.
    pub tax_number: Option<String>,
    /// The currency of costs and of the inventory's value; fixed once stock was received.
    pub base_currency: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            database_url: "sqlite:fulmar.db".into(),
            listen: "127.0.0.1:8080".into(),
            public_url: None,
            app_secret: None,
            behind_proxy: false,
            connections: 8,
            workers: true,
            shutdown_s: 30,
            log: Log::default(),
            smtp: Smtp::default(),
            otel: Otel::default(),
            metrics: Metrics::default(),
            merchant: Merchant::default(),
        }
    }
}
impl Default for Smtp {
    fn default() -> Self {
        Self { url: None, from: "Fulmar <orders@localhost>".into() }
    }
}
impl Default for Otel {
    fn default() -> Self {
        Self { endpoint: None, service_name: "fulmar".into() }
    }
}
impl Default for Metrics {
    fn default() -> Self {
        Self { enabled: true, token: None }
    }
}

/// A setting, for `--help` and docs/configuration.md.
pub struct Setting {
    /// As in the file, with its section.
    pub key: &'static str,
    /// The default, for people.
    pub default: &'static str,
    /// What it does.
    pub says: &'static str,
}

/// Every setting.
pub const SETTINGS: &[Setting] = &[
    Setting {
        key: "database_url",
        default: "sqlite:fulmar.db",
        says: "Where the data is: sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME (version 15 or later). DATABASE_URL sets it too",
    },
    Setting { key: "listen", default: "127.0.0.1:8080", says: "Address and port to serve on" },
    Setting {
        key: "public_url",
        default: "http:// and listen",
        says: "How the world reaches this server, for links in e-mails",
    },
    Setting {
        key: "app_secret",
        default: "one that the database keeps",
        says: "Seals second factors and signs links to people, so that a copy of the database opens and makes none; 32 random characters",
    },
    Setting {
        key: "behind_proxy",
        default: "false",
        says: "A proxy in front sets X-Forwarded-For and X-Forwarded-Proto, and may be believed",
    },
    Setting { key: "connections", default: "8", says: "Connections to the database (readers on SQLite)" },
    Setting {
        key: "workers",
        default: "true",
        says: "Whether `fulmar serve` runs background jobs; switch off where `fulmar work` runs beside it",
    },
    Setting {
        key: "shutdown_s",
        default: "30",
        says: "Seconds that running requests get to finish after SIGTERM",
    },
    Setting { key: "log.format", default: "text", says: "text or json" },
    Setting {
        key: "log.filter",
        default: "info (serve, work), warn (others)",
        says: "What is logged, as `info,orders=debug`",
    },
    Setting {
        key: "smtp.url",
        default: "none: e-mails are kept, not sent",
        says: "Mail server, as smtp://user:password@host:587?tls=required or smtps://…",
    },
    Setting { key: "smtp.from", default: "Fulmar <orders@localhost>", says: "Sender of e-mails" },
    Setting {
        key: "otel.endpoint",
        default: "none: no traces are sent",
        says: "OTLP/HTTP collector for traces, as http://127.0.0.1:4318",
    },
    Setting { key: "otel.service_name", default: "fulmar", says: "service.name of the traces" },
    Setting { key: "metrics.enabled", default: "true", says: "Whether /metrics (Prometheus) is served" },
    Setting {
        key: "metrics.token",
        default: "none: open",
        says: "When set, /metrics wants `Authorization: Bearer` with this token",
    },
    Setting {
        key: "merchant.name",
        default: "none",
        says: "Name on invoices, in e-mails and at the head of every page",
    },
    Setting {
        key: "merchant.address",
        default: "[]",
        says: "Lines of the postal address on invoices, as [\"1 Quay St\", \"1010 Auckland\", \"NZ\"]",
    },
    Setting { key: "merchant.tax_number", default: "none", says: "Tax number printed on invoices" },
    Setting {
        key: "merchant.base_currency",
        default: "EUR",
        says: "Currency of costs and of the inventory's value; fixed once stock was received",
    },
];

/// Variables that start with `FULMAR_` and are no settings of the process.
const OTHER_VARIABLES: &[&str] = &["config", "owner_password", "data", "bench_postgres"];

impl Config {
    /// Reads the configuration: `path`, or `fulmar.toml` in the working directory when there is one, then the environment.
    ///
    /// # Errors
    /// A usage failure that names the file and the key.
    pub fn load(path: Option<&Path>) -> Result<Self, Failure> {
        let mut figment = Figment::new();
        match path {
            Some(path) if !path.is_file() => {
                return Err(Failure::Usage(format!("there is no configuration file {}", path.display())));
            }
            Some(path) => figment = figment.merge(Toml::file_exact(path)),
            None if Path::new("fulmar.toml").is_file() => {
                figment = figment.merge(Toml::file_exact("fulmar.toml"))
            }
            None => {}
        }
        let ours = Env::prefixed("FULMAR_").filter(|key| {
            let key = key.as_str().to_ascii_lowercase();
            !OTHER_VARIABLES.contains(&key.as_str()) && !key.starts_with("test_")
        });
        figment
            .merge(Env::raw().only(&["DATABASE_URL"]))
            .merge(ours.split("__"))
            .extract()
            .map_err(|e| Failure::Usage(explain(e)))
    }
    /// The database for people: the URL without its password.
    pub fn database_shown(&self) -> String {
        without_password(&self.database_url)
    }
}

/// A URL without its password.
pub fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    match authority.rsplit_once('@') {
        Some((login, host)) => {
            let user = login.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}@{host}{path}")
        }
        None => url.to_owned(),
    }
}

/// One sentence for the first thing that is wrong.
fn explain(error: figment::Error) -> String {
    let Some(first) = error.into_iter().next() else { return "the configuration cannot be read".into() };
    let source = first.metadata.as_ref().map_or_else(
        || "configuration".to_owned(),
        |m| m.source.as_ref().map_or_else(|| "environment".to_owned(), ToString::to_string),
    );
    let path = first.path.join(".");
    match &first.kind {
        Kind::UnknownField(name, known) => {
            let full = if path.is_empty() || path.ends_with(name.as_str()) {
                path.clone()
            } else {
                format!("{path}.{name}")
            };
            let full = if full.is_empty() { name.clone() } else { full };
            format!("{source}: there is no setting “{full}”; known here are {}", known.join(", "))
        }
        kind if path.is_empty() => format!("{source}: {kind}"),
        kind => format!("{source}: setting “{path}”: {kind}"),
    }
}

/// The settings as a list, for `--help`.
pub fn settings_help() -> String {
    let mut text = String::from(
        "Settings (in fulmar.toml, or as FULMAR_… with __ between section and key, as FULMAR_LOG__FORMAT=json):\n",
    );
    for s in SETTINGS {
        text.push_str(&format!("  {:<24} {}. Default: {}\n", s.key, s.says, s.default));
    }
    text.push_str(
        "\nExit codes: 0 done, 1 refused or a law is broken, 2 wrong use or configuration, 3 fault",
    );
    text
}

/// The settings as the table of docs/configuration.md.
pub fn settings_table() -> String {
    let mut text = String::from("| setting | variable | default | what it does |\n|---|---|---|---|\n");
    for s in SETTINGS {
        let variable = s.key.to_ascii_uppercase().replace('.', "__");
        text.push_str(&format!("| `{}` | `FULMAR_{variable}` | {} | {} |\n", s.key, s.default, s.says));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(toml: &str) -> Result<Config, String> {
        Figment::new().merge(Toml::string(toml)).extract().map_err(explain)
    }

    #[test]
    fn unknown_keys_are_named() {
        for (toml, name) in [
            ("lisen = \"x\"", "lisen"),
            ("[log]\nformt = \"json\"", "formt"),
            ("[mail]\nurl = \"x\"", "mail"),
        ] {
            let error = read(toml).unwrap_err();
            assert!(error.contains("there is no setting") && error.contains(name), "{error}");
        }
        let error = read("[log]\nformat = \"xml\"").unwrap_err();
        assert!(error.contains("log.format") && error.contains("xml"), "{error}");
    }

    #[test]
    fn every_setting_is_documented_and_every_documented_setting_is_one() {
        for s in SETTINGS {
            let value = match s.key {
                "connections" | "shutdown_s" => "7",
                "workers" | "behind_proxy" | "metrics.enabled" => "false",
                "merchant.address" => "[\"a\"]",
                "log.format" => "\"json\"",
                _ => "\"x\"",
            };
            read(&format!("{} = {value}", s.key)).unwrap_or_else(|e| panic!("{}: {e}", s.key));
        }
        let docs = include_str!("../../../docs/configuration.md");
        assert!(
            docs.contains(&settings_table()),
            "docs/configuration.md should have this table:\n{}",
            settings_table()
        );
        // The fields that serde knows are the settings: an unknown key's message lists them.
        for (toml, section) in [
            ("x = 1", ""),
            ("log.x = 1", "log."),
            ("smtp.x = 1", "smtp."),
            ("otel.x = 1", "otel."),
            ("metrics.x = 1", "metrics."),
            ("merchant.x = 1", "merchant."),
        ] {
            let error = read(toml).unwrap_err();
            let known = error.split("known here are ").nth(1).unwrap();
            for field in known.split(", ") {
                let key = format!("{section}{field}");
                let is_section = SETTINGS.iter().any(|s| s.key.starts_with(&format!("{key}.")));
                assert!(is_section || SETTINGS.iter().any(|s| s.key == key), "{key} is not documented");
            }
        }
    }

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(without_password("postgres://u:p%40ss@h:5432/d?x=1"), "postgres://u@h:5432/d?x=1");
        assert_eq!(without_password("postgres://h/d"), "postgres://h/d");
        assert_eq!(without_password("sqlite:fulmar.db"), "sqlite:fulmar.db");
    }
}
