//! The checks of an entry, in their fixed order.

use std::borrow::Cow;

use super::limits::{EmergencyStop, RiskLimits};
use super::view::Exposure;
use crate::model::{LogicalTime, Market, Price, Quantity, Symbol};

/// Parts of the equity in which limits are counted.
const MILLION: i128 = 1_000_000;

/// An entry that somebody wants to place. An exit is none: nothing keeps it back, so nobody asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Of what.
    pub symbol: Symbol,
    /// Shares.
    pub qty: Quantity,
    /// Limit, or the price at which it was judged.
    pub price: Price,
}

/// What is checked, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CheckKind {
    /// Nobody has stopped entries.
    EmergencyStop,
    /// There are limits, and they are known.
    Limits,
    /// Names held and being bought.
    TotalPositions,
    /// Weight of the name.
    SingleWeight,
    /// Weight of its sector.
    SectorWeight,
    /// Weight of its market.
    MarketWeight,
    /// Realised loss of the day.
    DailyLoss,
    /// Loss of the month, realised and on paper.
    TotalLoss,
}

impl CheckKind {
    /// All of them, in their order.
    pub const ALL: [Self; 8] = [
        Self::EmergencyStop,
        Self::Limits,
        Self::TotalPositions,
        Self::SingleWeight,
        Self::SectorWeight,
        Self::MarketWeight,
        Self::DailyLoss,
        Self::TotalLoss,
    ];

    /// Returns the name, as the database has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EmergencyStop => "EMERGENCY_STOP",
            Self::Limits => "LIMITS",
            Self::TotalPositions => "TOTAL_POSITIONS",
            Self::SingleWeight => "SINGLE_WEIGHT",
            Self::SectorWeight => "SECTOR_WEIGHT",
            Self::MarketWeight => "MARKET_WEIGHT",
            Self::DailyLoss => "DAILY_LOSS",
            Self::TotalLoss => "TOTAL_LOSS",
        }
    }
}

/// What was compared. Amounts are in ten-thousandths of a won.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figures {
    /// Names after the order, and at most.
    Names {
        /// After the order.
        after: usize,
        /// At most.
        most: u32,
    },
    /// An amount after the order, or a loss, and at most.
    Amount {
        /// After the order.
        after: i128,
        /// At most, cut off to what can be counted.
        most: i128,
    },
}

/// What one check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckResult {
    /// Which one.
    pub kind: CheckKind,
    /// What was compared; none where something was not known or is no number.
    pub figures: Option<Figures>,
    /// Why it refuses; none where it passes.
    pub refusal: Option<Cow<'static, str>>,
}

/// What all checks found, up to the first that refuses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// In their order.
    pub results: Vec<CheckResult>,
}

impl Checked {
    /// Returns the check that refuses, with its reason; none where the entry passes.
    pub fn refusal(&self) -> Option<(&CheckResult, &str)> {
        let last = self.results.last()?;
        last.refusal.as_deref().map(|reason| (last, reason))
    }
}

/// Checks an entry against the account as it stands. Limits that could not be had are told by their
/// reason; an emergency stop that nobody knows counts as one.
pub fn check(
    intent: &Intent,
    exposure: &Exposure,
    limits: Result<&RiskLimits, &'static str>,
    stop: Option<&EmergencyStop>,
    now: LogicalTime,
) -> Checked {
    let mut checked = Checked::default();
    let results = &mut checked.results;
    results.reserve_exact(CheckKind::ALL.len());
    if !stopped(stop, results) {
        return checked;
    }
    let limits = match limits {
        Ok(limits) => limits,
        Err(reason) => {
            results.push(CheckResult::unknown(CheckKind::Limits, reason));
            return checked;
        }
    };
    results.push(CheckResult::passed(CheckKind::Limits));
    let checks = Checks {
        intent,
        exposure,
        limits,
        now,
    };
    for kind in CheckKind::ALL {
        let Some(result) = checks.find(kind) else {
            continue;
        };
        let refuses = result.refusal.is_some();
        results.push(result);
        if refuses {
            break;
        }
    }
    checked
}

/// Returns whether the entry may go on.
fn stopped(stop: Option<&EmergencyStop>, results: &mut Vec<CheckResult>) -> bool {
    let kind = CheckKind::EmergencyStop;
    let result = match stop {
        None => CheckResult::unknown(kind, "the emergency stop is not known"),
        Some(stop) if stop.is_enabled => {
            let reason = format!("emergency stop by {}: {}", stop.by, stop.reason);
            CheckResult::unknown(kind, reason)
        }
        Some(_) => CheckResult::passed(kind),
    };
    let passes = result.refusal.is_none();
    results.push(result);
    passes
}

impl CheckResult {
    fn passed(kind: CheckKind) -> Self {
        Self {
            kind,
            figures: None,
            refusal: None,
        }
    }

    fn unknown(kind: CheckKind, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            figures: None,
            refusal: Some(reason.into()),
        }
    }
}

struct Checks<'c> {
    intent: &'c Intent,
    exposure: &'c Exposure,
    limits: &'c RiskLimits,
    now: LogicalTime,
}

impl Checks<'_> {
    /// Returns what a check of the account finds; none of those that come before.
    fn find(&self, kind: CheckKind) -> Option<CheckResult> {
        match kind {
            CheckKind::EmergencyStop | CheckKind::Limits => None,
            CheckKind::TotalPositions => Some(self.positions()),
            CheckKind::SingleWeight => Some(self.single()),
            CheckKind::SectorWeight => Some(self.sector()),
            CheckKind::MarketWeight => Some(self.market()),
            CheckKind::DailyLoss => Some(self.daily_loss()),
            CheckKind::TotalLoss => Some(self.total_loss()),
        }
    }

    fn positions(&self) -> CheckResult {
        let is_new = !self.exposure.has(self.intent.symbol);
        let after = self.exposure.count() + usize::from(is_new);
        let most = self.limits.positions_max;
        // Adding to a name raises no count, and is no reason to refuse where too many are held.
        let passes = !is_new || u32::try_from(after).is_ok_and(|after| after <= most);
        let refusal = (!passes).then(|| format!("{after} names, at most {most}").into());
        CheckResult {
            kind: CheckKind::TotalPositions,
            figures: Some(Figures::Names { after, most }),
            refusal,
        }
    }

    fn single(&self) -> CheckResult {
        let kind = CheckKind::SingleWeight;
        if self.exposure.account().unvalued > 0 {
            return CheckResult::unknown(kind, "a held name has neither price nor cost");
        }
        let held = self.exposure.of_name(self.intent.symbol);
        let (what, most) = ("the name", self.limits.single_max);
        self.weigh(kind, what, held.saturating_add(self.cost()), most)
    }

    fn sector(&self) -> CheckResult {
        let symbol = self.intent.symbol;
        let sector = self.exposure.issue(symbol).sector_of(symbol);
        let held = self.exposure.of_sector(&sector);
        let (what, most) = ("its sector", self.limits.sector_max);
        let after = held.saturating_add(self.cost());
        self.weigh(CheckKind::SectorWeight, what, after, most)
    }

    fn market(&self) -> CheckResult {
        let kind = CheckKind::MarketWeight;
        let market = self.exposure.issue(self.intent.symbol).market;
        if market == Market::Unknown {
            return CheckResult::unknown(kind, "the market of the name is not known");
        }
        let held = self.exposure.of_market(market);
        let (what, most) = ("its market", self.limits.market_max);
        self.weigh(kind, what, held.saturating_add(self.cost()), most)
    }

    fn daily_loss(&self) -> CheckResult {
        let loss = loss(self.exposure.of_day(self.now));
        let what = "the realised loss of the day";
        self.weigh(CheckKind::DailyLoss, what, loss, self.limits.daily_loss_max)
    }

    fn total_loss(&self) -> CheckResult {
        let loss = total_loss(self.exposure, self.now);
        let what = "the loss of the month, with that of what is held,";
        self.weigh(CheckKind::TotalLoss, what, loss, self.limits.total_loss_max)
    }

    fn cost(&self) -> i128 {
        i128::from(self.intent.qty.shares()) * i128::from(self.intent.price.units())
    }

    /// Compares an amount with a part of the equity, without rounding.
    fn weigh(&self, kind: CheckKind, what: &str, after: i128, most: u32) -> CheckResult {
        let equity = match self.exposure.equity(self.now) {
            Ok(equity) => equity,
            Err(reason) => return CheckResult::unknown(kind, reason),
        };
        let allowed = equity * i128::from(most);
        let passes = after
            .checked_mul(MILLION)
            .is_some_and(|after| after <= allowed);
        let most = allowed / MILLION;
        let refusal = || {
            let (after, most) = (won(after), won(most));
            format!("{what} comes to {after} KRW, at most {most}").into()
        };
        CheckResult {
            kind,
            figures: Some(Figures::Amount { after, most }),
            refusal: (!passes).then(refusal),
        }
    }
}

/// Returns what a result lost.
pub(super) fn loss(result: i128) -> i128 {
    result.saturating_neg().max(0)
}

/// Returns the loss that counts against the limit of the month: what its sales have lost, and what all
/// that is held would lose at its price. A gain on paper makes up for nothing.
pub(super) fn total_loss(exposure: &Exposure, now: LogicalTime) -> i128 {
    loss(
        exposure
            .of_month(now)
            .saturating_add(exposure.unrealised().min(0)),
    )
}

/// Prints ten-thousandths of a won.
fn won(units: i128) -> String {
    let (whole, part) = (units / 10_000, units % 10_000);
    if part == 0 {
        return whole.to_string();
    }
    let text = format!("{whole}.{part:04}");
    text.trim_end_matches('0').to_owned()
}

#[cfg(test)]
mod tests;
