//! Words of an order: side, number, account.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;
use turnstile_dataflows::model::{Price, Quantity, Symbol};

/// Digits of an order number (KIS Open API, ODNO).
const NUMBER_LEN: usize = 10;

/// Direction of an order. The wire's 01 is sell and 02 is buy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// 매도, `01`.
    Sell,
    /// 매수, `02`.
    Buy,
}

impl Side {
    /// Returns the side of a wire code, with or without its zero.
    pub(super) fn from_code(code: &[u8]) -> Result<Self, String> {
        match code.trim_ascii() {
            b"01" | b"1" => Ok(Self::Sell),
            b"02" | b"2" => Ok(Self::Buy),
            other => Err(format!(
                "side 01 or 02 expected, was {}",
                super::number::shown(other)
            )),
        }
    }

    /// Returns the wire code.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Sell => "01",
            Self::Buy => "02",
        }
    }
}

/// Number the broker gave to an order, unique within a day and branch: 10 characters, zero padded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderNumber(String);

/// Why a text is not an order number.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("order number of 1 to 10 letters or digits expected, was {0:?}")]
pub struct OrderNumberError(String);

impl OrderNumber {
    /// Returns the number as the wire has it, padded.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the number in `text`, `None` where it is blank or all zeros.
    pub(super) fn optional(text: &[u8]) -> Result<Option<Self>, String> {
        let text = text.trim_ascii();
        if text.iter().all(|byte| *byte == b'0') {
            return Ok(None);
        }
        String::from_utf8_lossy(text)
            .parse()
            .map(Some)
            .map_err(|error: OrderNumberError| error.to_string())
    }

    /// Returns the number in `text`.
    pub(super) fn needed(text: &[u8]) -> Result<Self, String> {
        Self::optional(text)?.ok_or_else(|| "order number expected, was blank or zero".to_owned())
    }
}

impl FromStr for OrderNumber {
    type Err = OrderNumberError;

    fn from_str(text: &str) -> Result<Self, OrderNumberError> {
        let text = text.trim();
        let fits = (1..=NUMBER_LEN).contains(&text.len());
        if !fits || !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(OrderNumberError(text.chars().take(24).collect()));
        }
        Ok(Self(format!("{text:0>NUMBER_LEN$}")))
    }
}

impl fmt::Display for OrderNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Account at the broker: eight digits and a two-digit product code. Its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    cano: String,
    product: String,
}

/// Why a text is not an account. Does not repeat the text.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("account of the form 12345678-01 expected, was a text of {0} characters")]
pub struct AccountError(usize);

impl Account {
    /// Returns the eight digits (CANO).
    pub fn cano(&self) -> &str {
        &self.cano
    }

    /// Returns the two-digit product code (ACNT_PRDT_CD).
    pub fn product(&self) -> &str {
        &self.product
    }

    /// Returns whether a notice's account field, eight and two digits in one, is this account.
    pub(super) fn is(&self, field: &[u8]) -> bool {
        let field = field.trim_ascii();
        field.strip_prefix(self.cano.as_bytes()) == Some(self.product.as_bytes())
    }
}

impl FromStr for Account {
    type Err = AccountError;

    fn from_str(text: &str) -> Result<Self, AccountError> {
        let digits =
            |part: &str, len| part.len() == len && part.bytes().all(|byte| byte.is_ascii_digit());
        match text.trim().split_once('-') {
            Some((cano, product)) if digits(cano, 8) && digits(product, 2) => Ok(Self {
                cano: cano.to_owned(),
                product: product.to_owned(),
            }),
            _ => Err(AccountError(text.trim().chars().count())),
        }
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Account(..)")
    }
}

/// What an order asks for in price (KIS Open API, ORD_DVSN).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderPrice {
    /// At market, code 01.
    Market,
    /// At this price or better, code 00.
    Limit(Price),
}

impl OrderPrice {
    /// Returns the type code.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Market => "01",
            Self::Limit(_) => "00",
        }
    }

    /// Returns the price field: `0` where the type has no price.
    pub(super) fn field(self) -> String {
        match self {
            Self::Market => "0".to_owned(),
            Self::Limit(price) => price.to_string(),
        }
    }
}

/// A new cash order (현금주문).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOrder {
    /// The issue.
    pub symbol: Symbol,
    /// Buy or sell.
    pub side: Side,
    /// Shares, more than zero.
    pub quantity: Quantity,
    /// Market or limit.
    pub price: OrderPrice,
}

/// The order that a cancel or a replace is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderRef {
    /// Branch that numbered it (KRX_FWDG_ORD_ORGNO); may be empty where it is not known.
    pub branch: String,
    /// Its number.
    pub number: OrderNumber,
}

/// How much of the remainder a cancel or replace takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Everything not yet filled.
    Remainder,
    /// This many shares of it, more than zero.
    Shares(Quantity),
}

/// The broker received an order. It may still be rejected: that comes as a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderReceipt {
    /// Where to point a later cancel or replace.
    pub order: OrderRef,
    /// Time of receipt in Seoul, where the broker gave one.
    pub time: Option<jiff::civil::Time>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_number_is_the_same_with_and_without_padding() {
        let number: OrderNumber = "117057".parse().unwrap();
        assert_eq!(number, "0000117057".parse().unwrap());
        assert_eq!(number.as_str(), "0000117057");
        assert_eq!(OrderNumber::optional(b"0000000000"), Ok(None));
        assert_eq!(OrderNumber::optional(b"   "), Ok(None));
        assert!(OrderNumber::needed(b"").is_err());
        assert!("12 34".parse::<OrderNumber>().is_err());
        assert!("12345678901".parse::<OrderNumber>().is_err());
    }

    #[test]
    fn an_account_is_eight_and_two_digits_and_never_shown() {
        let account: Account = "50123456-01".parse().unwrap();
        assert_eq!((account.cano(), account.product()), ("50123456", "01"));
        assert!(account.is(b"5012345601"));
        assert!(account.is(b" 5012345601 "));
        assert!(!account.is(b"5012345602"));
        assert!(!account.is(b"50123456"));
        assert!(!format!("{account:?}").contains("5012"));
        for text in ["", "5012345601", "5012345-01", "50123456-1", "5012345a-01"] {
            let fault = text.parse::<Account>().unwrap_err().to_string();
            assert!(!fault.contains("5012"), "{fault}");
        }
    }
}
