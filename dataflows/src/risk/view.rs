//! What the desk says, folded: the exposure at a moment, with what is reserved, and who limits it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::exposure::{ExposureRow, Issue, Name, Sector, Total};
use super::limits::{EmergencyStop, RiskLimits, RiskProfile};
use crate::model::{LogicalTime, Market, Price, Quantity, Symbol};
use crate::reentry::{EQUITY_AGE_US_MAX, Equity};

/// Age beyond which a view counts as lost: the desk hears of every second.
const VIEW_AGE_US_MAX: u64 = 10_000_000;
/// How far a time may lie ahead. It can only where the clock was set back since, or another one runs
/// fast: of what lies further ahead nobody can say how old it is.
const AHEAD_US_MAX: u64 = 10_000_000;

/// A change of the view.
#[derive(Clone, Debug)]
pub enum ViewChange {
    /// A row comes (1) or goes (−1).
    Exposure(ExposureRow, isize),
    /// The row of an order to buy has been seen, by its action key.
    Ordered(Arc<str>),
    /// Limits by the identity of their row.
    Limits(i64, Option<RiskLimits>),
    /// The profile in force.
    Profile(Option<RiskProfile>),
    /// The emergency stop.
    Stop(Option<EmergencyStop>),
    /// Everything up to this time is in the view, the first state as a whole included.
    Through(LogicalTime),
}

/// The exposure at a moment. What is reserved counts like what is pending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exposure {
    names: BTreeMap<Symbol, Name>,
    sectors: BTreeMap<Sector, Total>,
    markets: BTreeMap<Market, Total>,
    account: Total,
    days: BTreeMap<u64, i128>,
    months: BTreeMap<u64, i128>,
    equity: Option<Equity>,
    issues: BTreeMap<Symbol, Issue>,
    /// Reserved by symbol: how often, and how much.
    reserved: BTreeMap<Symbol, (u32, i128)>,
    reserved_sectors: BTreeMap<Sector, i128>,
    reserved_markets: BTreeMap<Market, i128>,
}

/// Room that is taken by a purchase of which the view does not know yet. It ends with
/// [`Exposure::release`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    symbol: Symbol,
    sector: Sector,
    market: Market,
    units: i128,
}

impl Exposure {
    /// Takes in that a row comes or goes. Of a key that changes, the old row goes first.
    pub fn apply(&mut self, row: ExposureRow, diff: isize) {
        let comes = diff > 0;
        match row {
            ExposureRow::Name(symbol, name) => set(&mut self.names, symbol, comes, name),
            ExposureRow::Sector(sector, total) => set(&mut self.sectors, sector, comes, total),
            ExposureRow::Market(market, total) => set(&mut self.markets, market, comes, total),
            ExposureRow::Account(total) => {
                self.account = if comes { total } else { Total::default() };
            }
            ExposureRow::Day(day, units) => set(&mut self.days, day, comes, units),
            ExposureRow::Month(month, units) => set(&mut self.months, month, comes, units),
            ExposureRow::Equity(equity) => self.equity = comes.then_some(equity),
            ExposureRow::Issue(symbol, issue) => set(&mut self.issues, symbol, comes, issue),
        }
    }

    /// Takes room for a purchase of `qty` at `price`.
    pub fn reserve(&mut self, symbol: Symbol, qty: Quantity, price: Price) -> Reservation {
        let issue = self.issue(symbol);
        let reservation = Reservation {
            symbol,
            sector: issue.sector_of(symbol),
            market: issue.market,
            units: i128::from(qty.shares()) * i128::from(price.units()),
        };
        let units = reservation.units;
        let (count, sum) = self.reserved.entry(symbol).or_default();
        *count += 1;
        *sum += units;
        let sector = reservation.sector.clone();
        *self.reserved_sectors.entry(sector).or_default() += units;
        *self.reserved_markets.entry(issue.market).or_default() += units;
        reservation
    }

    /// Gives back what a reservation took.
    pub fn release(&mut self, reservation: &Reservation) {
        let Reservation {
            symbol,
            sector,
            market,
            units,
        } = reservation;
        if let Some((count, sum)) = self.reserved.get_mut(symbol) {
            *count -= 1;
            *sum -= units;
            if *count == 0 {
                self.reserved.remove(symbol);
            }
        }
        for sum in [
            self.reserved_sectors.get_mut(sector),
            self.reserved_markets.get_mut(market),
        ]
        .into_iter()
        .flatten()
        {
            *sum -= units;
        }
        self.reserved_sectors.retain(|_, sum| *sum != 0);
        self.reserved_markets.retain(|_, sum| *sum != 0);
    }

    /// Returns what an issue belongs to.
    pub fn issue(&self, symbol: Symbol) -> Issue {
        self.issues.get(&symbol).cloned().unwrap_or(Issue::UNKNOWN)
    }

    /// Returns the names that are held or being bought.
    pub fn names(&self) -> &BTreeMap<Symbol, Name> {
        &self.names
    }

    /// Returns the sectors of these names.
    pub fn sectors(&self) -> &BTreeMap<Sector, Total> {
        &self.sectors
    }

    /// Returns their markets.
    pub fn markets(&self) -> &BTreeMap<Market, Total> {
        &self.markets
    }

    /// Returns all of them together.
    pub fn account(&self) -> Total {
        self.account
    }

    /// Returns whether a symbol is held, being bought, or reserved.
    pub fn has(&self, symbol: Symbol) -> bool {
        self.names.contains_key(&symbol) || self.reserved.contains_key(&symbol)
    }

    /// Returns how many names are held, being bought, or reserved.
    pub fn count(&self) -> usize {
        let reserved = self.reserved.keys();
        let new = reserved.filter(|symbol| !self.names.contains_key(symbol));
        self.names.len() + new.count()
    }

    /// Returns what a name weighs, pending and reserved purchases included.
    pub fn of_name(&self, symbol: Symbol) -> i128 {
        let name = self.names.get(&symbol);
        let known = name.map_or(0, |name| name.held.unwrap_or(0) + name.pending);
        let reserved = self.reserved.get(&symbol);
        known + reserved.map_or(0, |(_count, units)| *units)
    }

    /// Returns what a sector weighs.
    pub fn of_sector(&self, sector: &Sector) -> i128 {
        let known = self.sectors.get(sector).map_or(0, |total| total.units);
        known + self.reserved_sectors.get(sector).copied().unwrap_or(0)
    }

    /// Returns what a market weighs. What belongs to no known market counts to each of them.
    pub fn of_market(&self, market: Market) -> i128 {
        let of = |market| {
            let known = self.markets.get(&market).map_or(0, |total| total.units);
            known + self.reserved_markets.get(&market).copied().unwrap_or(0)
        };
        let unknown = match market {
            Market::Unknown => 0,
            Market::Kospi | Market::Kosdaq | Market::Konex => of(Market::Unknown),
        };
        of(market) + unknown
    }

    /// Returns the unrealised result of all that is held, ten-thousandths of a won.
    pub fn unrealised(&self) -> i128 {
        self.account.unrealised
    }

    /// Returns the realised result of the day of `now`, ten-thousandths of a won: that of its sales.
    pub fn of_day(&self, now: LogicalTime) -> i128 {
        self.days.get(&now.seoul_day()).copied().unwrap_or(0)
    }

    /// Returns the realised result of the month of `now`.
    pub fn of_month(&self, now: LogicalTime) -> i128 {
        self.months.get(&now.seoul_month()).copied().unwrap_or(0)
    }

    /// Returns what the account is worth at `now`, ten-thousandths of a won.
    ///
    /// # Errors
    /// Why that is not known.
    pub fn equity(&self, now: LogicalTime) -> Result<i128, &'static str> {
        let equity = self
            .equity
            .ok_or("nobody has said what the account is worth")?;
        if now.micros_since(equity.asof) > EQUITY_AGE_US_MAX {
            return Err("what the account is worth is older than five minutes");
        }
        if equity.asof.micros_since(now) > AHEAD_US_MAX {
            return Err("what the account is worth is of a time that has not come");
        }
        if equity.units <= 0 {
            return Err("the account is worth nothing");
        }
        Ok(equity.units.into())
    }
}

fn set<K: Ord, V: PartialEq>(rows: &mut BTreeMap<K, V>, key: K, comes: bool, row: V) {
    if comes {
        rows.insert(key, row);
    } else if rows.get(&key) == Some(&row) {
        rows.remove(&key);
    }
}

/// Everything that a check asks for, as the desk said it last.
#[derive(Clone, Debug, Default)]
pub struct RiskView {
    /// What is held and being bought.
    pub exposure: Exposure,
    limits: BTreeMap<i64, RiskLimits>,
    profile: Option<RiskProfile>,
    stop: Option<EmergencyStop>,
    through: Option<LogicalTime>,
}

impl RiskView {
    /// Takes in what the desk said. Returns the action keys of orders that it has seen.
    pub fn apply(&mut self, changes: Vec<ViewChange>) -> BTreeSet<Arc<str>> {
        let mut ordered = BTreeSet::new();
        for change in changes {
            match change {
                ViewChange::Exposure(row, diff) => self.exposure.apply(row, diff),
                ViewChange::Ordered(key) => drop(ordered.insert(key)),
                ViewChange::Limits(id, Some(limits)) => drop(self.limits.insert(id, limits)),
                ViewChange::Limits(id, None) => drop(self.limits.remove(&id)),
                ViewChange::Profile(profile) => self.profile = profile,
                ViewChange::Stop(stop) => self.stop = stop,
                ViewChange::Through(time) => self.through = Some(time),
            }
        }
        ordered
    }

    /// Returns whether there is a view at all.
    pub fn is_known(&self) -> bool {
        self.through.is_some()
    }

    /// Returns the emergency stop; none where nobody knows it.
    pub fn stop(&self) -> Option<&EmergencyStop> {
        self.stop.as_ref()
    }

    /// Returns whether what the desk said last counts at `now`.
    ///
    /// # Errors
    /// Why it does not.
    pub fn counts(&self, now: LogicalTime) -> Result<(), &'static str> {
        let through = self.through.ok_or("limits and exposure are not loaded")?;
        if now.micros_since(through) > VIEW_AGE_US_MAX {
            return Err("limits and exposure are older than ten seconds");
        }
        if through.micros_since(now) > AHEAD_US_MAX {
            return Err("limits and exposure are of a time that has not come");
        }
        Ok(())
    }

    /// Returns the limits in force at `now`: those of the chosen profile.
    ///
    /// # Errors
    /// Why there are none.
    pub fn limits(&self, now: LogicalTime) -> Result<&RiskLimits, &'static str> {
        self.counts(now)?;
        let profile = self.profile.ok_or("no risk profile is in force")?;
        let limits = RiskLimits::in_force(self.limits.values(), profile, now);
        limits.ok_or("the risk profile in force has no limits at this time")
    }
}
