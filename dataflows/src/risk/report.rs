//! How much of its limits an account uses.

use super::check::{CheckKind, loss, total_loss};
use super::exposure::Sector;
use super::limits::RiskProfile;
use super::view::RiskView;
use crate::model::{LogicalTime, Market, Symbol};

const MILLION: i128 = 1_000_000;
/// Hundredths of a percent in one.
const WHOLE: i128 = 10_000;

/// How far the account is, by the highest usage in percent. Borders belong to the higher level, but 95
/// to ORANGE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReportLevel {
    /// Below 70.
    Green,
    /// From 70 on, below 85.
    Yellow,
    /// From 85 on, up to 95.
    Orange,
    /// Above 95, or something is not known.
    Red,
}

impl ReportLevel {
    /// Returns the name, as the database has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Green => "GREEN",
            Self::Yellow => "YELLOW",
            Self::Orange => "ORANGE",
            Self::Red => "RED",
        }
    }
}

/// How much of one limit is used, as an exact fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Which limit.
    pub kind: CheckKind,
    used: i128,
    limit: i128,
}

impl Usage {
    /// Returns the usage of `used` out of `limit`.
    pub const fn new(kind: CheckKind, used: i128, limit: i128) -> Self {
        Self { kind, used, limit }
    }

    /// Returns the usage in hundredths of a percent, cut off.
    pub fn basis_points(&self) -> i128 {
        self.used
            .saturating_mul(WHOLE)
            .checked_div(self.limit)
            .unwrap_or(if self.used > 0 { i128::MAX } else { 0 })
    }

    /// Returns what is left of a loss that is allowed: (1 − loss ÷ limit) · 100, in hundredths of a
    /// percent.
    pub fn buffer_basis_points(&self) -> i128 {
        WHOLE.saturating_sub(self.basis_points())
    }

    /// Returns the level of this usage alone.
    pub fn level(&self) -> ReportLevel {
        let is_at_least =
            |percent: i128| self.used.saturating_mul(100) >= self.limit.saturating_mul(percent);
        let is_above = self.used.saturating_mul(100) > self.limit.saturating_mul(95);
        if is_above {
            ReportLevel::Red
        } else if self.limit > 0 && is_at_least(85) {
            ReportLevel::Orange
        } else if self.limit > 0 && is_at_least(70) {
            ReportLevel::Yellow
        } else {
            ReportLevel::Green
        }
    }
}

/// The account beside its limits at a moment. Amounts are in ten-thousandths of a won.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RiskReport {
    /// Highest level of all usages; RED where something is not known.
    pub level: ReportLevel,
    /// What is not known.
    pub unknown: Option<&'static str>,
    /// Profile in force.
    pub profile: Option<RiskProfile>,
    /// Whether entries are stopped; true where nobody knows.
    pub is_stopped: bool,
    /// Names held or being bought.
    pub positions: usize,
    /// What the account is worth, where that is known.
    pub equity: Option<i128>,
    /// The heaviest name.
    pub largest: Option<(Symbol, i128)>,
    /// What sectors weigh.
    pub sectors: Vec<(Sector, i128)>,
    /// What markets weigh.
    pub markets: Vec<(Market, i128)>,
    /// Realised result of the day.
    pub day_result: i128,
    /// Realised result of the month.
    pub month_result: i128,
    /// Unrealised result of all that is held.
    pub unrealised: i128,
    /// Usages in the order of checks. A limit of the whole equity or more bounds nothing and has none.
    pub usages: Vec<Usage>,
}

impl RiskReport {
    /// Returns the report of `view` at `now`.
    pub fn of(view: &RiskView, now: LogicalTime) -> Self {
        let exposure = &view.exposure;
        let (limits, equity) = (view.limits(now), exposure.equity(now));
        let names = exposure.names().keys();
        let names = names.map(|symbol| (*symbol, exposure.of_name(*symbol)));
        let largest = names.max_by_key(|(symbol, units)| (*units, std::cmp::Reverse(*symbol)));
        let sectors = exposure.sectors().keys();
        let sectors: Vec<_> = sectors
            .map(|sector| (sector.clone(), exposure.of_sector(sector)))
            .collect();
        let markets = exposure.markets().iter();
        let markets: Vec<_> = markets
            .map(|(market, total)| (*market, total.units))
            .collect();
        let (day_result, month_result) = (exposure.of_day(now), exposure.of_month(now));
        let positions = exposure.count();
        let mut usages = Vec::new();
        if let Ok(limits) = limits {
            let count = i128::try_from(positions).unwrap_or(i128::MAX);
            let most = limits.positions_max.into();
            usages.push(Usage::new(CheckKind::TotalPositions, count, most));
        }
        if let (Ok(limits), Ok(equity)) = (limits, equity) {
            let heaviest = |weights: &mut dyn Iterator<Item = i128>| weights.max().unwrap_or(0);
            let single = largest.map_or(0, |(_symbol, units)| units);
            let sector = heaviest(&mut sectors.iter().map(|(_sector, units)| *units));
            let market = markets
                .iter()
                .map(|(market, _)| exposure.of_market(*market));
            let market = heaviest(&mut market.into_iter());
            let parts = [
                (CheckKind::SingleWeight, single, limits.single_max),
                (CheckKind::SectorWeight, sector, limits.sector_max),
                (CheckKind::MarketWeight, market, limits.market_max),
                (
                    CheckKind::DailyLoss,
                    loss(day_result),
                    limits.daily_loss_max,
                ),
                (
                    CheckKind::TotalLoss,
                    total_loss(exposure, now),
                    limits.total_loss_max,
                ),
            ];
            let bounds = |most: u32| i128::from(most) < MILLION;
            let parts = parts.into_iter().filter(|(_, _, most)| bounds(*most));
            usages.extend(parts.map(|(kind, used, most)| {
                Usage::new(
                    kind,
                    used.saturating_mul(MILLION),
                    equity * i128::from(most),
                )
            }));
        }
        let unvalued = exposure.account().unvalued > 0;
        let unknown = limits.err().or(equity.err());
        let unknown = unknown.or(unvalued.then_some("a held name has neither price nor cost"));
        let highest = usages.iter().map(Usage::level).max();
        Self {
            level: match unknown {
                Some(_) => ReportLevel::Red,
                None => highest.unwrap_or(ReportLevel::Green),
            },
            unknown,
            profile: limits.ok().map(|limits| limits.profile),
            is_stopped: view.stop().is_none_or(|stop| stop.is_enabled),
            positions,
            equity: equity.ok(),
            largest,
            sectors,
            markets,
            day_result,
            month_result,
            unrealised: exposure.unrealised(),
            usages,
        }
    }

    /// Returns what the month has brought, realised and unrealised.
    pub fn total_result(&self) -> i128 {
        self.month_result.saturating_add(self.unrealised)
    }

    /// Notes that the figures cannot be trusted.
    pub fn lose(&mut self, reason: &'static str) {
        self.level = ReportLevel::Red;
        self.unknown = Some(reason);
    }

    /// Returns the usage of one limit, where it has one.
    pub fn usage(&self, kind: CheckKind) -> Option<Usage> {
        self.usages.iter().copied().find(|usage| usage.kind == kind)
    }

    /// Returns the highest usage.
    pub fn highest(&self) -> Option<Usage> {
        let usages = self.usages.iter().copied();
        usages.max_by_key(|usage| (usage.basis_points(), std::cmp::Reverse(usage.kind)))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(0, ReportLevel::Green)]
    #[case(69_999, ReportLevel::Green)]
    #[case(70_000, ReportLevel::Yellow)]
    #[case(84_999, ReportLevel::Yellow)]
    #[case(85_000, ReportLevel::Orange)]
    #[case(95_000, ReportLevel::Orange)]
    #[case(95_001, ReportLevel::Red)]
    #[case(250_000, ReportLevel::Red)]
    fn levels_have_their_borders(#[case] used: i128, #[case] level: ReportLevel) {
        let usage = Usage::new(CheckKind::SingleWeight, used, 100_000);
        assert_eq!(usage.level(), level);
    }

    #[rstest]
    #[case(0, 10_000)]
    #[case(25, 7_500)]
    #[case(100, 0)]
    #[case(150, -5_000)]
    fn the_buffer_is_what_a_loss_leaves(#[case] used: i128, #[case] buffer: i128) {
        let usage = Usage::new(CheckKind::DailyLoss, used, 100);
        assert_eq!(usage.buffer_basis_points(), buffer);
    }

    #[test]
    fn a_limit_of_nothing_is_used_up_by_anything() {
        assert_eq!(
            Usage::new(CheckKind::TotalPositions, 1, 0).level(),
            ReportLevel::Red
        );
        assert_eq!(
            Usage::new(CheckKind::TotalPositions, 0, 0).level(),
            ReportLevel::Green
        );
    }
}
