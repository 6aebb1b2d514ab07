//! Configuration: one TOML file and a few environment variables, checked before anything starts.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use turnstile_bff::BffConfig;
use turnstile_connectors::execution::{ExecutionConfig, RiskConfig, SessionKind};
use turnstile_connectors::exits::ExitsConfig;
use turnstile_connectors::invariants::InvariantsConfig;
use turnstile_connectors::jobs::JobsConfig;
use turnstile_connectors::kis::{Environment, KisConfig};
use turnstile_connectors::monitoring::MonitoringConfig;
use turnstile_connectors::naver::NaverConfig;
use turnstile_connectors::picks::{self, PicksConfig};
use turnstile_connectors::postgres::{PostgresConfig, PriceSinkConfig};
use turnstile_connectors::redis::RedisConfig;
use turnstile_connectors::retention::RetentionConfig;
use turnstile_connectors::spill::SpillConfig;
use turnstile_connectors::strategy::StrategyConfig;
use turnstile_dataflows::engine::{EngineConfig, Idle};
use turnstile_dataflows::exit::Fills;

use crate::stream::QuotesConfig;

/// Everything that can be configured. Every section and key is optional.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// The database.
    pub(crate) postgres: PostgresConfig,
    /// The cache.
    pub(crate) redis: RedisConfig,
    /// The broker.
    pub(crate) kis: KisConfig,
    /// Prices that are asked for.
    pub(crate) quotes: QuotesConfig,
    /// The backup of the broker's prices.
    pub(crate) naver: NaverConfig,
    /// The price sink.
    pub(crate) prices: PriceSinkConfig,
    /// Orders and fills.
    pub(crate) execution: ExecutionConfig,
    /// Limits of the account, and their report.
    pub(crate) risk: RiskConfig,
    /// What the exits say beside decisions.
    pub(crate) exits: ExitsConfig,
    /// What must never be so.
    pub(crate) invariants: InvariantsConfig,
    /// What is done at times of the trading calendar.
    pub(crate) jobs: JobsConfig,
    /// What is held, decided once a day.
    pub(crate) strategy: StrategyConfig,
    /// What other programs propose to buy.
    pub(crate) picks: PicksConfig,
    /// The dataflow workers.
    pub(crate) engine: EngineSection,
    /// The stream job around them.
    pub(crate) stream: StreamSection,
    /// How long prices stay attached.
    pub(crate) retention: RetentionConfig,
    /// What is kept on disk while the database is away.
    pub(crate) spill: SpillConfig,
    /// Limits, alarms and who is told of them.
    pub(crate) monitoring: MonitoringConfig,
    /// The API and the web app.
    pub(crate) bff: BffConfig,
}

/// Section `[engine]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct EngineSection {
    /// Worker threads.
    pub(crate) workers: usize,
    /// Events that may wait before sources are pushed back.
    pub(crate) channel: usize,
    /// Events worked on at one go at most.
    pub(crate) batch: usize,
    /// How long a drain waits for one more event.
    #[serde(with = "humantime_serde")]
    pub(crate) linger: std::time::Duration,
    /// What a worker does while no event waits: "park" or "spin".
    pub(crate) idle: Idle,
}

impl Default for EngineSection {
    fn default() -> Self {
        let EngineConfig {
            workers,
            channel,
            batch,
            linger,
            idle,
            fills: _,
            views: _,
        } = EngineConfig::default();
        Self {
            workers,
            channel,
            batch,
            linger,
            idle,
        }
    }
}

impl From<&EngineSection> for EngineConfig {
    fn from(section: &EngineSection) -> Self {
        Self {
            workers: section.workers,
            channel: section.channel,
            batch: section.batch,
            linger: section.linger,
            idle: section.idle,
            fills: Fills::Reported,
            views: true,
        }
    }
}

/// Section `[stream]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct StreamSection {
    /// Control address of the exchange simulator, where the session is taken from it.
    pub(crate) simulator_url: Option<String>,
    /// Second switch for real money: the first is `kis.environment`.
    pub(crate) allow_production: bool,
    /// Where `turnstile stream` shows its metrics (`GET /metrics`); absent: nowhere.
    pub(crate) metrics_listen: Option<std::net::SocketAddr>,
    /// How often new prices are taken into the bars of one minute; absent: never.
    #[serde(with = "humantime_serde")]
    pub(crate) minute_bars: Option<std::time::Duration>,
}

type SetKey = fn(&mut Config, String);

/// Environment variables that replace keys of the file.
const VARIABLES: [(&str, SetKey); 8] = [
    ("DATABASE_URL", |config, value| {
        config.postgres.url = SecretString::from(value)
    }),
    ("REDIS_URL", |config, value| {
        config.redis.url = Some(SecretString::from(value))
    }),
    ("KIS_APP_KEY", |config, value| {
        config.kis.app_key = SecretString::from(value)
    }),
    ("KIS_APP_SECRET", |config, value| {
        config.kis.app_secret = SecretString::from(value)
    }),
    ("KIS_ACCOUNT", |config, value| {
        config.kis.account = SecretString::from(value)
    }),
    ("KIS_HTS_ID", |config, value| config.kis.hts_id = value),
    ("ALARM_WEBHOOK_URL", |config, value| {
        config.monitoring.webhook.url = Some(SecretString::from(value))
    }),
    ("ALARM_TELEGRAM_TOKEN", |config, value| {
        config.monitoring.telegram.token = Some(SecretString::from(value))
    }),
];

impl Config {
    /// Reads the file, where there is one, and then the environment.
    pub(crate) fn read(file: Option<&Path>) -> anyhow::Result<Self> {
        let mut config = match file {
            Some(file) => {
                let place = file.display();
                let text = std::fs::read_to_string(file)
                    .with_context(|| format!("configuration {place} cannot be read"))?;
                toml::from_str(&text)
                    .with_context(|| format!("configuration {place} is malformed"))?
            }
            None => Self::default(),
        };
        for (name, set) in VARIABLES {
            if let Ok(value) = std::env::var(name)
                && !value.is_empty()
            {
                set(&mut config, value);
            }
        }
        if config.kis.token_cache.as_os_str().is_empty() {
            config.kis.token_cache = PathBuf::from(".turnstile/kis-token.json");
        }
        Ok(config)
    }

    /// Checks what every command with a database needs.
    pub(crate) fn check_stores(&self) -> anyhow::Result<()> {
        let mut faults = self.postgres.validate();
        faults.extend(self.redis.validate());
        report(faults)
    }

    /// Checks what a run of the strategy needs.
    pub(crate) fn check_strategy(&self) -> anyhow::Result<()> {
        let mut faults = self.postgres.validate();
        faults.extend(self.redis.validate());
        faults.extend(self.strategy.validate());
        report(faults)
    }

    /// Returns whether the configuration names a database.
    pub(crate) fn has_database(&self) -> bool {
        !self.postgres.url.expose_secret().is_empty()
    }

    /// Checks what the BFF needs beside the stores.
    pub(crate) fn check_bff(&self) -> anyhow::Result<()> {
        let faults = self.bff.validate().err().unwrap_or_default();
        let mut faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        faults.extend(self.strategy.id().err());
        faults.extend(self.monitoring.validate());
        report(faults)
    }

    /// Checks everything that the stream job needs.
    pub(crate) fn check_stream(&self) -> anyhow::Result<()> {
        let mut faults = self.postgres.validate();
        faults.extend(self.redis.validate());
        faults.extend(self.prices.validate());
        faults.extend(self.naver.validate());
        faults.extend(self.quotes.validate());
        faults.extend(self.exits.validate());
        faults.extend(self.invariants.validate());
        faults.extend(self.retention.validate());
        faults.extend(self.spill.validate());
        faults.extend(self.jobs.validate());
        faults.extend(self.strategy.validate());
        faults.extend(self.picks.validate());
        faults.extend(self.monitoring.validate());
        if self.picks.enabled && self.strategy.strategy_id == picks::STRATEGY {
            faults.push(format!(
                "strategy.strategy_id: another name than {:?} expected, that of picks",
                picks::STRATEGY
            ));
        }
        faults.extend(self.risk.fault().map(str::to_owned));
        if let Err(error) = self.execution.validate() {
            faults.push(error.to_string());
        }
        if let Err(error) = self.kis.clone().validate() {
            faults.push(error.to_string());
        }
        for (key, value) in [
            ("workers", self.engine.workers),
            ("channel", self.engine.channel),
            ("batch", self.engine.batch),
        ] {
            if value == 0 {
                faults.push(format!("engine.{key}: at least 1 expected, was 0"));
            }
        }
        if self.stream.minute_bars.is_some_and(|every| every.is_zero()) {
            faults.push("stream.minute_bars: more than 0 expected (absent: never)".to_owned());
        }
        let is_simulated = self.execution.session == SessionKind::Simulator;
        if is_simulated && self.stream.simulator_url.is_none() {
            faults.push(
                "stream.simulator_url: needed while execution.session is simulator (else krx)"
                    .to_owned(),
            );
        }
        if self.kis.environment == Some(Environment::Production) {
            if !self.stream.allow_production {
                faults.push(
                    "stream.allow_production: must be true to trade real money (kis.environment is production)"
                        .to_owned(),
                );
            }
            if is_simulated {
                faults
                    .push("execution.session: must be krx in production, was simulator".to_owned());
            }
        }
        report(faults)
    }
}

fn report(faults: Vec<String>) -> anyhow::Result<()> {
    if faults.is_empty() {
        return Ok(());
    }
    bail!("configuration cannot be used:\n  {}", faults.join("\n  "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_named() {
        let error = toml::from_str::<Config>("[prices]\nbatch_row = 5\n")
            .unwrap_err()
            .to_string();
        assert!(error.contains("batch_row"), "{error}");
    }

    /// The example with all of its keys in force.
    fn example() -> String {
        let is_key = |line: &str| {
            let key = line.split_once(" = ").map(|(key, _value)| key);
            let is_letter =
                |letter: char| letter.is_ascii_lowercase() || "_0123456789".contains(letter);
            line.starts_with('[') || key.is_some_and(|key| key.chars().all(is_letter))
        };
        let lines = include_str!("../turnstile.example.toml").lines();
        lines
            .map(|line| {
                line.strip_prefix("# ")
                    .filter(|rest| is_key(rest))
                    .unwrap_or(line)
            })
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn the_example_names_keys_that_there_are_and_shows_the_defaults_of_the_strategy() {
        let config = toml::from_str::<Config>(&example()).unwrap();
        assert_eq!(config.strategy, StrategyConfig::default());
    }

    #[test]
    fn every_fault_is_told_with_its_key() {
        let config = Config {
            engine: EngineSection {
                workers: 0,
                ..EngineSection::default()
            },
            jobs: JobsConfig {
                calendar_days: 0,
                ..JobsConfig::default()
            },
            strategy: StrategyConfig {
                strategy_id: String::new(),
                ..StrategyConfig::default()
            },
            ..Config::default()
        };
        let error = config.check_stream().unwrap_err().to_string();
        for key in [
            "postgres.url",
            "engine.workers",
            "jobs.calendar_days",
            "strategy.strategy_id",
            "kis.environment",
            "stream.simulator_url",
        ] {
            assert!(error.contains(key), "{key} in {error}");
        }
    }

    #[test]
    fn the_api_is_not_served_for_a_strategy_that_cannot_be() {
        let config = toml::from_str::<Config>("[strategy]\nstrategy_id = \"a b\"\n").unwrap();
        let error = config.check_bff().unwrap_err().to_string();
        assert!(error.contains("strategy.strategy_id"), "{error}");
        Config::default().check_bff().unwrap();
    }

    #[test]
    fn faults_of_retention_are_told_with_the_others() {
        let text = "[retention]\ndays = 3\nlook = \"0s\"\nfolder = \"/dev/null/archive\"\n";
        let config = toml::from_str::<Config>(text).unwrap();
        let error = config.check_stream().unwrap_err().to_string();
        let keys = [
            "postgres.url",
            "retention.days",
            "retention.look",
            "retention.folder",
        ];
        for key in keys {
            assert!(error.contains(key), "{key} in {error}");
        }
        let error = toml::from_str::<Config>("[retention]\nday = 3\n").unwrap_err();
        assert!(error.to_string().contains("day"), "{error}");
    }

    #[test]
    fn picks_have_limits_and_a_strategy_of_their_own() {
        let text = "[picks]\nenabled = true\nsize = 30001\n[strategy]\nstrategy_id = \"picks\"\n";
        let mut config = toml::from_str::<Config>(text).unwrap();
        let error = config.check_stream().unwrap_err().to_string();
        for key in ["picks.size", "strategy.strategy_id"] {
            assert!(error.contains(key), "{key} in {error}");
        }
        config.picks.enabled = false;
        let error = config.check_stream().unwrap_err().to_string();
        assert!(!error.contains("strategy.strategy_id"), "{error}");
    }

    #[test]
    fn production_needs_a_second_switch() {
        let mut config = Config::default();
        config.kis.environment = Some(Environment::Production);
        let error = config.check_stream().unwrap_err().to_string();
        assert!(error.contains("stream.allow_production"), "{error}");
    }
}
