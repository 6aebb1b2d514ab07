//! Checks of the settings that types cannot express.

use std::{collections::BTreeSet, fmt};

use rust_decimal::Decimal;
use thiserror::Error;

use super::{AccountConfig, PathConfig, ScriptPoint, SimConfig};
use crate::price::Money;

/// One setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFault {
    /// Path of the key, such as `accounts[0].cano`.
    pub key: String,
    /// What was found and what was expected.
    pub reason: String,
}

/// Every setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct ConfigFaults(pub Vec<ConfigFault>);

impl fmt::Display for ConfigFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{}: {}", fault.key, fault.reason)?;
        }
        Ok(())
    }
}

/// Upper end of a pace: a day in less than a second and a half.
const SPEED_MAX: i64 = 100_000;

impl SimConfig {
    /// Checks what the types leave open.
    ///
    /// # Errors
    /// Returns every fault, each with the path of its key.
    pub fn validate(&self) -> Result<(), ConfigFaults> {
        let mut faults = Faults(Vec::new());
        faults.check_accounts(&self.accounts);
        faults.check_stocks(self);
        faults.check_path(self);
        faults.require(
            self.keep_alive.period.is_zero() || !self.keep_alive.timeout.is_zero(),
            "keep_alive.timeout",
            || "must be positive where period is, was 0".to_owned(),
        );
        faults.require(
            (1..=999).contains(&self.records_per_frame_max),
            "records_per_frame_max",
            || format!("must be 1 to 999, was {}", self.records_per_frame_max),
        );
        faults.require(matches!(self.field_width, 46 | 47), "field_width", || {
            format!("must be 46 or 47, was {}", self.field_width)
        });
        faults.check_speed("clock.speed", self.clock.speed);
        faults.require(self.clock.speed > Decimal::ZERO, "clock.speed", || {
            format!("must be positive, was {}", self.clock.speed)
        });
        faults.require(
            self.fills.partial_chance_pct <= 99,
            "fills.partial_chance_pct",
            || format!("must be 0 to 99, was {}", self.fills.partial_chance_pct),
        );
        faults.require(self.fills.chunk_max >= 0, "fills.chunk_max", || {
            format!("must not be negative, was {}", self.fills.chunk_max)
        });
        if faults.0.is_empty() {
            Ok(())
        } else {
            Err(ConfigFaults(faults.0))
        }
    }
}

struct Faults(Vec<ConfigFault>);

impl Faults {
    fn require(&mut self, holds: bool, key: &str, reason: impl FnOnce() -> String) {
        if !holds {
            let key = key.to_owned();
            self.0.push(ConfigFault {
                key,
                reason: reason(),
            });
        }
    }

    fn check_accounts(&mut self, accounts: &[AccountConfig]) {
        self.require(!accounts.is_empty(), "accounts", || {
            "must not be empty".to_owned()
        });
        let mut seen = BTreeSet::new();
        for (index, account) in accounts.iter().enumerate() {
            let key = |name: &str| format!("accounts[{index}].{name}");
            let digits = |text: &str, length: usize| {
                text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit())
            };
            self.require(digits(&account.cano, 8), &key("cano"), || {
                format!("must be 8 digits, was {:?}", account.cano)
            });
            self.require(
                digits(&account.acnt_prdt_cd, 2),
                &key("acnt_prdt_cd"),
                || format!("must be 2 digits, was {:?}", account.acnt_prdt_cd),
            );
            for (name, value) in [
                ("app_key", &account.app_key),
                ("app_secret", &account.app_secret),
            ] {
                self.require(!value.is_empty(), &key(name), || {
                    "must not be empty".to_owned()
                });
            }
            let is_id = (1..=8).contains(&account.hts_id.len()) && !account.hts_id.contains('^');
            self.require(is_id, &key("hts_id"), || {
                format!(
                    "must be 1 to 8 characters without ^, was {:?}",
                    account.hts_id
                )
            });
            self.require(
                !account.account_name.contains('^'),
                &key("account_name"),
                || format!("must not contain ^, was {:?}", account.account_name),
            );
            for (name, value) in [
                ("app_key", &account.app_key),
                ("cano", &account.cano),
                ("hts_id", &account.hts_id),
            ] {
                self.require(seen.insert((name, value)), &key(name), || {
                    "must differ from that of every other account".to_owned()
                });
            }
            let is_amount = Money::try_from(account.cash).is_ok() && account.cash >= Decimal::ZERO;
            self.require(is_amount, &key("cash"), || {
                format!(
                    "must be an amount of KRW that is not negative, was {}",
                    account.cash
                )
            });
            for (at, holding) in account.holdings.iter().enumerate() {
                let key = |name: &str| format!("accounts[{index}].holdings[{at}].{name}");
                self.require(holding.qty > 0, &key("qty"), || {
                    format!("must be positive, was {}", holding.qty)
                });
                self.require(holding.avg_price.is_some(), &key("avg_price"), || {
                    format!("must be positive, was {}", holding.avg_price)
                });
            }
        }
    }

    fn check_stocks(&mut self, config: &SimConfig) {
        let mut seen = BTreeSet::new();
        for (index, stock) in config.stocks.iter().enumerate() {
            let key = |name: &str| format!("stocks[{index}].{name}");
            self.require(seen.insert(&stock.symbol), &key("symbol"), || {
                format!("must be listed once, was {}", stock.symbol)
            });
            self.require(stock.prev_close.is_some(), &key("prev_close"), || {
                format!("must be positive, was {}", stock.prev_close)
            });
            self.require(!stock.name.contains('^'), &key("name"), || {
                format!("must not contain ^, was {:?}", stock.name)
            });
            self.require(stock.prev_volume >= 0, &key("prev_volume"), || {
                format!("must not be negative, was {}", stock.prev_volume)
            });
            self.require(stock.listed_shares > 0, &key("listed_shares"), || {
                format!("must be positive, was {}", stock.listed_shares)
            });
            self.require(is_course(&stock.script), &key("script"), || {
                "must have positive prices in ascending order of time".to_owned()
            });
        }
        if matches!(config.path, PathConfig::Generator(_)) {
            self.require(!config.stocks.is_empty(), "stocks", || {
                "must not be empty with a generated path".to_owned()
            });
            for (index, account) in config.accounts.iter().enumerate() {
                for (at, holding) in account.holdings.iter().enumerate() {
                    let key = format!("accounts[{index}].holdings[{at}].symbol");
                    self.require(seen.contains(&holding.symbol), &key, || {
                        format!("must be listed in stocks, was {}", holding.symbol)
                    });
                }
            }
        }
    }

    fn check_path(&mut self, config: &SimConfig) {
        match &config.path {
            PathConfig::Generator(generator) => {
                for (key, value, end) in [
                    ("path.ticks_per_second", generator.ticks_per_second, 100_000),
                    ("path.volatility_ppm", generator.volatility_ppm, 100_000),
                    ("path.jump_chance_ppm", generator.jump_chance_ppm, 1_000_000),
                    ("path.jump_size_bp", generator.jump_size_bp, 3_000),
                    ("path.gap_max_bp", generator.gap_max_bp, 3_000),
                    ("path.halt_chance_ppm", generator.halt_chance_ppm, 1_000_000),
                ] {
                    self.require(value <= end, key, || {
                        format!("must be 0 to {end}, was {value}")
                    });
                }
            }
            PathConfig::Ticks(ticks) => self.check_speed("path.speed", ticks.speed),
        }
    }

    fn check_speed(&mut self, key: &str, speed: Decimal) {
        let is_pace = (Decimal::ZERO..=Decimal::from(SPEED_MAX)).contains(&speed)
            && (speed * Decimal::from(1_000)).is_integer();
        self.require(is_pace, key, || {
            format!("must be 0 to {SPEED_MAX} with at most 3 decimals, was {speed}")
        });
    }
}

/// Returns whether a price course can be followed.
pub(crate) fn is_course(points: &[ScriptPoint]) -> bool {
    points.iter().all(|point| point.price.is_some())
        && points.windows(2).all(|pair| pair[0].after <= pair[1].after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_valid() {
        assert_eq!(SimConfig::default().validate(), Ok(()));
    }

    #[test]
    fn every_fault_is_reported_with_its_key() {
        let mut config = SimConfig {
            field_width: 45,
            records_per_frame_max: 0,
            ..SimConfig::default()
        };
        config.accounts[0].cano = "123".to_owned();
        config.stocks[1].symbol = config.stocks[0].symbol.clone();
        let faults = config.validate().unwrap_err();
        let keys: Vec<_> = faults.0.iter().map(|fault| fault.key.as_str()).collect();
        let expected = [
            "accounts[0].cano",
            "stocks[1].symbol",
            "records_per_frame_max",
            "field_width",
        ];
        assert_eq!(keys, expected);
        assert!(
            faults
                .to_string()
                .starts_with("accounts[0].cano: must be 8 digits, was \"123\"; ")
        );
    }

    #[test]
    fn unknown_keys_are_refused() {
        let error = serde_json::from_str::<SimConfig>(r#"{"lissten": "127.0.0.1:0"}"#).unwrap_err();
        assert!(
            error.to_string().contains("unknown field `lissten`"),
            "{error}"
        );
        let text = r#"{"path": {"kind": "generator", "sead": 1}}"#;
        let error = serde_json::from_str::<SimConfig>(text).unwrap_err();
        assert!(error.to_string().contains("sead"), "{error}");
    }

    #[test]
    fn settings_survive_a_round_trip() {
        let text = serde_json::to_string(&SimConfig::default()).unwrap();
        assert_eq!(
            serde_json::from_str::<SimConfig>(&text).unwrap(),
            SimConfig::default()
        );
    }
}
