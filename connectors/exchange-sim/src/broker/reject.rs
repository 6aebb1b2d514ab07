//! Why the broker refuses an order at once. What only the exchange refuses (price band, tick grid)
//! comes as a notice instead.

use std::borrow::Cow;

/// A refusal, with the broker's code and text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reject {
    /// No session takes the order.
    MarketClosed,
    /// The order costs more than the cash that is free.
    Cash,
    /// Some shares are held, but fewer can be sold.
    Quantity,
    /// No share of the issue is held.
    Holding,
    /// The issue is not known.
    Symbol,
    /// The after-market takes neither this order type nor funds.
    AfterMarketType,
    /// There is no such order, or nothing of it is left.
    Original,
    /// A field cannot be understood, or asks for what is not simulated.
    Field(String),
    /// The control port asked for this code.
    Scripted(String),
}

impl Reject {
    /// Code in `msg_cd`. `APBK0344` and `APBK9999` are the simulator's own: no source states the
    /// broker's.
    pub(crate) fn code(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::MarketClosed => "APBK0918",
            Self::Cash => "APBK0919",
            Self::Quantity => "APBK0400",
            Self::Holding => "APBK1234",
            Self::Symbol => "MCA05918",
            Self::AfterMarketType => "APBK3013",
            Self::Original => "APBK0344",
            Self::Field(_) => "APBK9999",
            Self::Scripted(code) => return Cow::Owned(code.clone()),
        })
    }

    /// Text in `msg1`.
    pub(crate) fn text(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::MarketClosed => "장운영시간이 아닙니다.",
            Self::Cash => "주문가능금액을 초과 했습니다",
            Self::Quantity => "주문 가능한 수량을 초과했습니다.",
            Self::Holding => "매도 가능한 잔고가 없습니다.",
            Self::Symbol => "종목코드가 올바르지 않습니다.",
            Self::AfterMarketType => "애프터마켓에서 사용할 수 없는 주문입니다.",
            Self::Original => "정정/취소할 원주문이 없습니다.",
            Self::Field(reason) => return Cow::Owned(reason.clone()),
            Self::Scripted(_) => "주문이 거부되었습니다.",
        })
    }
}
