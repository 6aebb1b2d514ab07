//! What an answer of the broker makes of a stored listing: pure, so that its laws can be tested.

use jiff::civil::Date;

use crate::kis::{Listing, StockInfo};

/// State of a listing, by the names of `market.stocks`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Active,
    Suspended,
    Delisted,
}

impl Status {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Suspended => "SUSPENDED",
            Self::Delisted => "DELISTED",
        }
    }

    pub(super) fn of(name: &str) -> Option<Self> {
        let all = [Self::Active, Self::Suspended, Self::Delisted];
        all.into_iter().find(|status| status.name() == name)
    }
}

/// The columns of `market.stocks` that an answer may change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) name: String,
    pub(super) market: String,
    pub(super) instrument_type: String,
    pub(super) status: Status,
    pub(super) is_tradable: bool,
    pub(super) is_managed: bool,
    /// Day for which somebody told whether it is managed: the exchange's listing does, too.
    pub(super) managed_on: Option<Date>,
    pub(super) is_on_nxt: Option<bool>,
    pub(super) is_stopped_on_nxt: Option<bool>,
    pub(super) listed_shares: Option<i64>,
    pub(super) listed_on: Option<Date>,
    pub(super) delisted_on: Option<Date>,
    pub(super) industry: Option<String>,
}

impl Stored {
    /// Returns the row after `told`, which was asked for `today`. What it does not say stays.
    pub(super) fn after(&self, told: &StockInfo, today: Date) -> Self {
        let mut next = self.clone();
        next.status = self.status_after(told, today);
        // Without a word about trading the row keeps what it has, unless its status has moved.
        if told.is_stopped.is_some() || next.status != self.status {
            next.is_tradable = next.status == Status::Active;
        }
        next.delisted_on = match told.listing {
            Listing::Ends(day) => Some(day),
            Listing::Stands => None,
            Listing::Unknown => self.delisted_on,
        };
        if self.managed_on.is_none_or(|day| day <= today) {
            next.is_managed = told.is_managed.unwrap_or(self.is_managed);
        }
        next.is_on_nxt = told.is_on_nxt.or(self.is_on_nxt);
        next.is_stopped_on_nxt = told.is_stopped_on_nxt.or(self.is_stopped_on_nxt);
        next.listed_shares = told.listed_shares.or(self.listed_shares);
        next.listed_on = told.listed_on.or(self.listed_on);
        next.industry = told.industry.clone().or_else(|| self.industry.clone());
        self.fill_placeholders(told, &mut next);
        next
    }

    fn status_after(&self, told: &StockInfo, today: Date) -> Status {
        let is_over = match told.listing {
            Listing::Ends(day) => day <= today,
            Listing::Stands => false,
            Listing::Unknown => self.status == Status::Delisted,
        };
        match told.is_stopped {
            _ if is_over => Status::Delisted,
            Some(true) => Status::Suspended,
            Some(false) => Status::Active,
            None => self.status,
        }
    }

    /// Fills what whoever met the symbol first could not know; the import owns it otherwise.
    fn fill_placeholders(&self, told: &StockInfo, next: &mut Self) {
        if self.name == told.symbol.to_string()
            && let Some(name) = &told.name
        {
            next.name.clone_from(name);
        }
        if self.market == "UNKNOWN"
            && let Some(market) = told.market
        {
            market.clone_into(&mut next.market);
        }
        if self.instrument_type == "UNKNOWN"
            && let Some(instrument_type) = told.instrument_type
        {
            instrument_type.clone_into(&mut next.instrument_type);
        }
    }

    /// Returns what a human should know of the change to `next`, in words; empty where it is nothing.
    pub(super) fn news(&self, next: &Self) -> Vec<String> {
        let mut news = Vec::new();
        if self.status != next.status {
            news.push(format!("{} to {}", self.status.name(), next.status.name()));
        }
        if self.is_managed != next.is_managed {
            let what = if next.is_managed { "now" } else { "no longer" };
            news.push(format!("{what} an administrative issue"));
        }
        if self.is_stopped_on_nxt.unwrap_or_default() != next.is_stopped_on_nxt.unwrap_or_default()
        {
            let is_stopped = next.is_stopped_on_nxt.unwrap_or_default();
            let what = if is_stopped { "stopped" } else { "resumed" };
            news.push(format!("trading on NXT {what}"));
        }
        if self.delisted_on != next.delisted_on {
            news.push(match next.delisted_on {
                Some(day) => format!("the listing ends on {day}"),
                None => "the listing has no end any more".to_owned(),
            });
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    const TODAY: Date = date(2026, 11, 24);

    fn stored() -> Stored {
        Stored {
            name: "005930".to_owned(),
            market: "UNKNOWN".to_owned(),
            instrument_type: "UNKNOWN".to_owned(),
            status: Status::Active,
            is_tradable: true,
            is_managed: false,
            managed_on: None,
            is_on_nxt: None,
            is_stopped_on_nxt: None,
            listed_shares: None,
            listed_on: None,
            delisted_on: None,
            industry: None,
        }
    }

    fn silent() -> StockInfo {
        StockInfo {
            symbol: "005930".parse().unwrap(),
            is_stopped: None,
            is_managed: None,
            is_on_nxt: None,
            is_stopped_on_nxt: None,
            name: None,
            market: None,
            instrument_type: None,
            industry: None,
            listed_shares: None,
            listed_on: None,
            listing: Listing::Unknown,
        }
    }

    #[test]
    fn a_stop_suspends_and_its_end_resumes() {
        let stop = StockInfo {
            is_stopped: Some(true),
            ..silent()
        };
        let suspended = stored().after(&stop, TODAY);
        assert_eq!(
            (suspended.status, suspended.is_tradable),
            (Status::Suspended, false)
        );
        assert_eq!(stored().news(&suspended), ["ACTIVE to SUSPENDED"]);
        let resume = StockInfo {
            is_stopped: Some(false),
            ..silent()
        };
        assert_eq!(suspended.after(&resume, TODAY), stored());
        assert_eq!(suspended.after(&silent(), TODAY), suspended);
    }

    #[test]
    fn a_listing_ends_on_its_last_day_and_not_before() {
        let ends = StockInfo {
            is_stopped: Some(false),
            listing: Listing::Ends(date(2026, 11, 25)),
            ..silent()
        };
        let before = stored().after(&ends, TODAY);
        assert_eq!(
            (before.status, before.delisted_on),
            (Status::Active, Some(date(2026, 11, 25)))
        );
        let over = before.after(&ends, date(2026, 11, 25));
        assert_eq!((over.status, over.is_tradable), (Status::Delisted, false));
        let partial = StockInfo {
            is_stopped: Some(false),
            ..silent()
        };
        assert_eq!(over.after(&partial, date(2026, 11, 26)), over);
        let stands = StockInfo {
            listing: Listing::Stands,
            ..partial
        };
        let back = over.after(&stands, date(2026, 11, 26));
        assert_eq!((back.status, back.delisted_on), (Status::Active, None));
    }

    #[test]
    fn a_word_on_a_managed_issue_counts_unless_another_is_newer() {
        let told = |is_managed| StockInfo {
            is_managed: Some(is_managed),
            ..silent()
        };
        let managed = Stored {
            is_managed: true,
            managed_on: Some(TODAY),
            ..stored()
        };
        assert!(!managed.after(&told(false), TODAY).is_managed);
        let yesterday = TODAY.yesterday().unwrap();
        assert!(managed.after(&told(false), yesterday).is_managed);
        assert!(managed.after(&silent(), TODAY).is_managed);
        assert!(stored().after(&told(true), TODAY).is_managed);
    }

    #[test]
    fn only_placeholders_are_filled() {
        let told = StockInfo {
            name: Some("삼성전자".to_owned()),
            market: Some("KOSPI"),
            instrument_type: Some("STOCK"),
            ..silent()
        };
        let filled = stored().after(&told, TODAY);
        let of = |stored: &Stored| {
            [&stored.name, &stored.market, &stored.instrument_type].map(Clone::clone)
        };
        assert_eq!(of(&filled), ["삼성전자", "KOSPI", "STOCK"]);
        let other = StockInfo {
            name: Some("Other".to_owned()),
            market: Some("KOSDAQ"),
            instrument_type: Some("ETF"),
            ..silent()
        };
        assert_eq!(filled.after(&other, TODAY), filled);
    }

    fn flags() -> impl Strategy<Value = [Option<bool>; 4]> {
        prop::array::uniform4(any::<Option<bool>>())
    }

    fn listing() -> impl Strategy<Value = Listing> {
        prop_oneof![
            Just(Listing::Stands),
            Just(Listing::Unknown),
            (0_i32..60).prop_map(|days| {
                Listing::Ends(date(2026, 10, 25).saturating_add(jiff::Span::new().days(days)))
            }),
        ]
    }

    fn info(
        [is_stopped, is_managed, is_on_nxt, is_stopped_on_nxt]: [Option<bool>; 4],
        listing: Listing,
        shares: Option<i64>,
    ) -> StockInfo {
        StockInfo {
            is_stopped,
            is_managed,
            is_on_nxt,
            is_stopped_on_nxt,
            listing,
            listed_shares: shares,
            ..silent()
        }
    }

    proptest! {
        #[test]
        fn the_same_answer_again_changes_nothing_and_silence_never_does(
            first in flags(), first_listing in listing(), shares in any::<Option<i64>>(),
            then in flags(), then_listing in listing(),
        ) {
            let first = info(first, first_listing, shares);
            let once = stored().after(&first, TODAY);
            prop_assert_eq!(&once.after(&first, TODAY), &once);
            prop_assert_eq!(&once.after(&silent(), TODAY), &once);
            prop_assert!(once.news(&once).is_empty());
            let then = info(then, then_listing, None);
            let twice = once.after(&then, TODAY);
            // What was known stays known.
            prop_assert!(twice.listed_shares == once.listed_shares);
            prop_assert!(once.is_on_nxt.is_none() || twice.is_on_nxt.is_some());
            prop_assert!(once.is_stopped_on_nxt.is_none() || twice.is_stopped_on_nxt.is_some());
            // Nothing is delisted but by an end that has come.
            if twice.status == Status::Delisted && once.status != Status::Delisted {
                prop_assert!(matches!(then.listing, Listing::Ends(day) if day <= TODAY));
            }
            prop_assert!(!twice.is_tradable || twice.status == Status::Active);
        }
    }
}
