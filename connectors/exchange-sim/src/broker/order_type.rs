//! Order types (KIS Open API, ORD_DVSN) and the sessions that take them.

use super::Reject;
use crate::{clock::Session, config::Market};

/// How the price of an order comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pricing {
    /// The price that the order states.
    Limit,
    /// Any price.
    Market,
    /// A limit that turns into a market order for the closing auction.
    ConditionalLimit,
    /// A limit at the best price of the other side when the order comes.
    BestOther,
    /// A limit at the best price of the own side when the order comes.
    BestOwn,
    /// The previous close before the open, the close after it.
    AtClose,
}

/// What happens to a remainder that does not trade at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// It stays.
    None,
    /// It is cancelled.
    ImmediateOrCancel,
    /// Unless all trades at once, nothing does.
    FillOrKill,
}

/// Sessions that take an order type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Day,
    Continuous,
    PreOpen,
    PostClose,
    AfterMarket,
}

/// One order type of the broker.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OrderType {
    /// Two-digit code on the wire.
    pub(crate) code: &'static str,
    /// Name in order lists.
    pub(crate) name: &'static str,
    pub(crate) pricing: Pricing,
    pub(crate) condition: Condition,
    when: When,
}

const fn row(
    code: &'static str,
    name: &'static str,
    pricing: Pricing,
    condition: Condition,
    when: When,
) -> OrderType {
    OrderType {
        code,
        name,
        pricing,
        condition,
        when,
    }
}

/// The simulated types. Midpoint, stop and NXT types are not.
static TABLE: [OrderType; 20] = {
    use Condition::{FillOrKill, ImmediateOrCancel, None};
    use Pricing::{AtClose, BestOther, BestOwn, ConditionalLimit, Limit, Market};
    use When::{AfterMarket, Continuous, Day, PostClose, PreOpen};
    [
        row("00", "지정가", Limit, None, Day),
        row("01", "시장가", Market, None, Day),
        row("02", "조건부지정가", ConditionalLimit, None, Day),
        row("03", "최유리지정가", BestOther, None, Continuous),
        row("04", "최우선지정가", BestOwn, None, Continuous),
        row("05", "장전 시간외", AtClose, None, PreOpen),
        row("06", "장후 시간외", AtClose, None, PostClose),
        row("11", "IOC지정가", Limit, ImmediateOrCancel, Continuous),
        row("12", "FOK지정가", Limit, FillOrKill, Continuous),
        row("13", "IOC시장가", Market, ImmediateOrCancel, Continuous),
        row("14", "FOK시장가", Market, FillOrKill, Continuous),
        row("15", "IOC최유리", BestOther, ImmediateOrCancel, Continuous),
        row("16", "FOK최유리", BestOther, FillOrKill, Continuous),
        row("41", "애프터 지정가", Limit, None, AfterMarket),
        row(
            "42",
            "애프터 IOC지정가",
            Limit,
            ImmediateOrCancel,
            AfterMarket,
        ),
        row("43", "애프터 FOK지정가", Limit, FillOrKill, AfterMarket),
        row("44", "애프터 최유리", BestOther, None, AfterMarket),
        row(
            "45",
            "애프터 IOC최유리",
            BestOther,
            ImmediateOrCancel,
            AfterMarket,
        ),
        row("46", "애프터 FOK최유리", BestOther, FillOrKill, AfterMarket),
        row("47", "애프터 최우선", BestOwn, None, AfterMarket),
    ]
};

impl OrderType {
    /// Returns the type with this code, if it is simulated.
    pub(crate) fn by_code(code: &str) -> Option<&'static Self> {
        TABLE.iter().find(|entry| entry.code == code)
    }

    /// Returns whether the order states its price.
    pub(crate) const fn is_priced(&self) -> bool {
        matches!(self.pricing, Pricing::Limit | Pricing::ConditionalLimit)
    }

    /// Condition code of execution notices, ODER_COND.
    pub(crate) const fn condition_code(&self) -> &'static str {
        match self.condition {
            Condition::None => "0",
            Condition::ImmediateOrCancel => "1",
            Condition::FillOrKill => "2",
        }
    }

    /// Checks whether `session` takes this type for an issue of `market`.
    ///
    /// # Errors
    /// The broker's code for a closed market, or for a type that the after-market does not know.
    pub(crate) fn check_session(&self, session: Session, market: Market) -> Result<(), Reject> {
        let is_taken = match session {
            Session::Closed => return Err(Reject::MarketClosed),
            Session::AfterMarket => {
                let is_fund = market == Market::Etf;
                return if self.when == When::AfterMarket && !is_fund {
                    Ok(())
                } else {
                    Err(Reject::AfterMarketType)
                };
            }
            Session::PreOpen => matches!(self.when, When::Day | When::PreOpen),
            Session::Regular => matches!(self.when, When::Day | When::Continuous),
            Session::ClosingAuction => self.when == When::Day,
            Session::PostClose => self.when == When::PostClose,
        };
        if is_taken {
            Ok(())
        } else {
            Err(Reject::MarketClosed)
        }
    }
}
