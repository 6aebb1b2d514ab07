//! What lets a pick be bought.

use crate::model::{Price, Quantity};

const MILLION: i128 = 1_000_000;
/// Units of a price in a won.
const UNITS: i128 = 10_000;

/// A condition of buying a pick, in the order in which they are asked. The first that fails counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Gate {
    /// The exchange takes orders.
    Session,
    /// Nothing is stopped or paused, and there are limits of risk.
    Control,
    /// What the account is worth, and what it has in what, is known.
    Equity,
    /// The symbol has a fresh price.
    Price,
    /// The price is not above what the producers would pay.
    Constraint,
    /// What is held and being bought stays below a part of the equity.
    Exposure,
    /// So does the name itself; and one share fits into the size of a pick.
    Symbol,
    /// The day has not lost too much.
    DailyLoss,
    /// The symbol was not bought too often today.
    Entries,
    /// The last purchase of the symbol was long enough ago.
    Spacing,
    /// The symbol is neither held nor being bought, also by a re-entry.
    Duplicate,
    /// Nobody has used the action key.
    Key,
}

impl Gate {
    /// Returns the name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Session => "SESSION",
            Self::Control => "CONTROL",
            Self::Equity => "EQUITY",
            Self::Price => "PRICE",
            Self::Constraint => "CONSTRAINT",
            Self::Exposure => "EXPOSURE",
            Self::Symbol => "SYMBOL",
            Self::DailyLoss => "DAILY_LOSS",
            Self::Entries => "ENTRIES",
            Self::Spacing => "SPACING",
            Self::Duplicate => "DUPLICATE",
            Self::Key => "KEY",
        }
    }

    /// Returns whether a pick that fails here is judged again; else it is refused for the day.
    pub const fn is_transient(self) -> bool {
        matches!(
            self,
            Self::Session
                | Self::Control
                | Self::Equity
                | Self::Price
                | Self::Constraint
                | Self::Spacing
        )
    }
}

/// Limits of purchases of picks. Parts of the equity in millionths; all inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// What one pick may cost.
    pub size: u32,
    /// What may be held and being bought after it.
    pub exposure_max: u32,
    /// What may be held and being bought of its symbol after it.
    pub symbol_max: u32,
    /// What the day may have lost. The limit of risk in force counts beside it: the stricter of the two.
    pub daily_loss_max: u32,
    /// Purchases of a symbol in a day, this one among them.
    pub entries_max: u32,
    /// Least time since the last purchase of the symbol, microseconds.
    pub spacing_us: u64,
}

/// What a pick would be bought at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The fresh price.
    pub price: Price,
    /// Limit of the purchase, on the grid; what is reckoned with.
    pub limit: Price,
}

/// What is known when a pick is judged. Amounts in units of a price, ten-thousandths of a won.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Why the exchange takes no orders.
    pub closed: Option<String>,
    /// What is stopped or paused.
    pub halted: Option<String>,
    /// What the account is worth; none: not known, or not of late.
    pub equity: Option<i128>,
    /// What is held and being bought; none where something of it has no value.
    pub exposure: Option<i128>,
    /// Of that, what is of the symbol.
    pub in_symbol: i128,
    /// None where there is no fresh price, or no price on the grid.
    pub offer: Option<Offer>,
    /// Highest price that the producers would pay.
    pub price_max: Option<Price>,
    /// Realised result of the day.
    pub day_result: i128,
    /// What the day may have lost by the limits of risk in force, millionths of the equity; none where
    /// there are none.
    pub risk_daily_loss_max: Option<u32>,
    /// Purchases of the symbol today.
    pub entries: u32,
    /// Microseconds since the last purchase of the symbol; none: never.
    pub since_entry_us: Option<u64>,
    /// What makes a purchase a second one.
    pub duplicate: Option<String>,
}

/// Why a pick is not bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The condition that fails.
    pub gate: Gate,
    /// What it is about. Of what passes by itself it says the same as long as the cause does.
    pub reason: String,
}

/// Returns how many shares of a pick are bought, at least one, or why none are.
///
/// The quantity is what the size of a pick pays at the limit, in whole shares.
///
/// # Errors
/// The first condition that fails, in the order of [`Gate`].
pub fn judge(limits: &Limits, facts: &Facts) -> Result<Quantity, Refusal> {
    let Known {
        equity,
        exposure,
        offer,
        risk_daily_loss_max,
    } = known(facts)?;
    let share = i128::from(offer.limit.units());
    let shares = equity * i128::from(limits.size) / (share * MILLION);
    let weigh = Weigh { equity };
    let (all, name) = (exposure + shares * share, facts.in_symbol + shares * share);
    weigh.at_most(
        all,
        limits.exposure_max,
        Gate::Exposure,
        "holdings and purchases come to",
    )?;
    if shares == 0 {
        weigh.at_most(share, limits.size, Gate::Symbol, "one share comes to")?;
    }
    weigh.at_most(name, limits.symbol_max, Gate::Symbol, "the name comes to")?;
    let lost = -facts.day_result;
    weigh.at_most(
        lost,
        limits.daily_loss_max.min(risk_daily_loss_max),
        Gate::DailyLoss,
        "the loss of the day comes to",
    )?;
    pace(limits, facts)?;
    let shares = i64::try_from(shares).unwrap_or(i64::MAX);
    Ok(Quantity::new(shares).unwrap_or_default())
}

/// What a purchase is reckoned with.
struct Known {
    equity: i128,
    /// What is held and being bought.
    exposure: i128,
    offer: Offer,
    risk_daily_loss_max: u32,
}

/// Returns what a purchase is reckoned with.
fn known(facts: &Facts) -> Result<Known, Refusal> {
    if let Some(why) = &facts.closed {
        return refuse(Gate::Session, why.clone());
    }
    if let Some(why) = &facts.halted {
        return refuse(Gate::Control, why.clone());
    }
    let Some(risk_daily_loss_max) = facts.risk_daily_loss_max else {
        let why = "the risk profile in force has no limits at this time";
        return refuse(Gate::Control, why);
    };
    let Some(equity) = facts.equity.filter(|equity| *equity > 0) else {
        let why = "what the account is worth is not known, or not above zero";
        return refuse(Gate::Equity, why);
    };
    let Some(exposure) = facts.exposure else {
        let why = "something that is held or being bought has no value that is known";
        return refuse(Gate::Equity, why);
    };
    let Some(offer) = facts.offer else {
        return refuse(Gate::Price, "there is no fresh price");
    };
    if let Some(most) = facts.price_max.filter(|most| offer.price > *most) {
        let why = format!("the price is above {most} KRW, the most that is to be paid");
        return refuse(Gate::Constraint, why);
    }
    Ok(Known {
        equity,
        exposure,
        offer,
        risk_daily_loss_max,
    })
}

/// Asks how often and how lately the symbol was bought.
fn pace(limits: &Limits, facts: &Facts) -> Result<(), Refusal> {
    if facts.entries >= limits.entries_max {
        let (bought, most) = (facts.entries, limits.entries_max);
        return refuse(
            Gate::Entries,
            format!("bought {bought} times today, at most {most}"),
        );
    }
    if facts
        .since_entry_us
        .is_some_and(|since| since < limits.spacing_us)
    {
        let pause = limits.spacing_us / 1_000_000;
        return refuse(
            Gate::Spacing,
            format!("the last purchase was less than {pause} s ago"),
        );
    }
    match &facts.duplicate {
        Some(what) => refuse(Gate::Duplicate, what.clone()),
        None => Ok(()),
    }
}

/// Compares amounts with parts of the equity.
struct Weigh {
    equity: i128,
}

impl Weigh {
    /// Refuses an amount above so many millionths of the equity.
    fn at_most(&self, amount: i128, part: u32, gate: Gate, what: &str) -> Result<(), Refusal> {
        let most = self.equity * i128::from(part);
        if amount * MILLION <= most {
            return Ok(());
        }
        let (amount, most) = (amount.div_euclid(UNITS), most / (MILLION * UNITS));
        refuse(gate, format!("{what} {amount} KRW, at most {most}"))
    }
}

fn refuse<T>(gate: Gate, reason: impl Into<String>) -> Result<T, Refusal> {
    let reason = reason.into();
    Err(Refusal { gate, reason })
}

#[cfg(test)]
mod tests;
