//! Data frames: `<enc>|<tr_id>|<count>|<payload>` to trades. Pure, and without an allocation per
//! field.
//!
//! 1. The width of a record is fields ÷ count; every record is read (KIS Open API, 4.4).
//! 2. A record has 47 fields since 2026-09-14 and had 46 before; a wider one is read up to the
//!    fields that are known.
//! 3. A bad record is reported and skipped; its neighbours in the frame are still delivered.

use jiff::civil::{Date, Time};
use turnstile_dataflows::model::{Price, Quantity, Symbol};

use super::error::Malformed;
use super::number;
use crate::seoul::SEOUL;

/// Fields of a trade record before 2026-09-14.
const TRADE_WIDTH_MIN: usize = 46;
/// Fields of a trade record that are known today.
const TRADE_WIDTH: usize = 47;
/// Place of a fault in one trade record.
const TRADE: &str = "H0STCNT0 record";

/// One data frame, its payload not yet read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    /// Whether the payload is encrypted.
    pub encrypted: bool,
    /// Which stream it belongs to, such as `H0STCNT0`.
    pub tr_id: &'a str,
    /// Number of records, 1 to 999.
    pub count: usize,
    /// Fields separated by `^`, or their cipher text in base64.
    pub payload: &'a str,
}

/// One trade at the Korea Exchange (KIS Open API, H0STCNT0).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trade {
    /// Microseconds since the Unix epoch at which the frame was read.
    pub received_us: u64,
    /// The issue.
    pub symbol: Symbol,
    /// Time of the trade in Seoul, to the second.
    pub time: Time,
    /// Business date, where the record has one.
    pub business_date: Option<Date>,
    /// Price of this trade.
    pub last: Price,
    /// Best bid, `None` where the book's side is empty.
    pub bid: Option<Price>,
    /// Best ask, `None` where the book's side is empty.
    pub ask: Option<Price>,
    /// Shares at the best bid.
    pub bid_quantity: Quantity,
    /// Shares at the best ask.
    pub ask_quantity: Quantity,
    /// Shares of this trade.
    pub volume: Quantity,
    /// Shares traded today, this trade included: grows by `volume` with each record.
    pub cumulative_volume: Quantity,
    /// Value traded today in whole KRW, this trade included.
    pub cumulative_value_won: i64,
    /// Change against the previous close in 1/10000 KRW, signed.
    pub change_units: i64,
    /// Change against the previous close in 1/10000 percent, signed.
    pub change_rate_units: i64,
    /// Whether trading in the issue is halted.
    pub halted: bool,
    /// What kind of price this is.
    pub hour_class: HourClass,
    /// Session of the trade; `None` in the layout before 2026-09-14.
    pub market_class: Option<MarketClass>,
}

/// Kind of price in a trade record (KIS Open API, H0STCNT0 field 43).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HourClass {
    /// A trade in session.
    InSession,
    /// Expected price after the close.
    ExpectedAfterClose,
    /// Expected price before the open.
    ExpectedBeforeOpen,
    /// Expected price after 09:00 or during a volatility interruption.
    ExpectedInSession,
    /// After-hours single price.
    AfterHoursSinglePrice,
    /// A code that is not documented; zero where the field is empty.
    Other(u8),
}

/// Session of a trade (KIS Open API, H0STCNT0 field 46, new on 2026-09-14).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MarketClass {
    /// Before the open.
    PreMarket,
    /// 09:00 to 15:30.
    Regular,
    /// 16:00 to 20:00.
    AfterMarket,
    /// The close.
    Close,
    /// A code that is not documented.
    Other(u8),
}

impl Trade {
    /// Returns the time of the trade in microseconds since the Unix epoch, to the second, where
    /// the record has a date.
    pub fn exchange_us(&self) -> Option<u64> {
        let local = self.business_date?.to_datetime(self.time);
        let micros = SEOUL.to_timestamp(local).ok()?.as_microsecond();
        u64::try_from(micros).ok()
    }
}

/// Reads the head of a data frame.
///
/// # Errors
/// If `text` is not `<0|1>|<tr_id>|<count>|<payload>`.
pub(super) fn frame(text: &str) -> Result<Frame<'_>, Malformed> {
    let fault = |reason: &str| Malformed::new("frame", reason).with_excerpt(head(text).as_bytes());
    let mut parts = text.splitn(4, '|');
    let (Some(enc), Some(tr_id), Some(count), Some(payload)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(fault("four parts separated by | expected"));
    };
    let encrypted = match enc {
        "0" => false,
        "1" => true,
        _ => return Err(fault("0 or 1 expected as first part")),
    };
    let count = count
        .parse::<usize>()
        .ok()
        .filter(|count| (1..=999).contains(count))
        .ok_or_else(|| fault("a count from 001 to 999 expected as third part"))?;
    Ok(Frame {
        encrypted,
        tr_id,
        count,
        payload,
    })
}

/// Returns the part of a frame that names its stream: the payload may hold personal data.
fn head(text: &str) -> &str {
    let end = text.match_indices('|').nth(2).map(|(at, _)| at);
    &text[..end.unwrap_or_else(|| text.floor_char_boundary(16))]
}

/// Splits `payload` into `count` records of equal width and gives each, as its first `N` fields
/// and its width, to `each`. Fields beyond `N` are left out; missing ones are empty.
pub(super) fn records<'a, const N: usize>(
    place: &'static str,
    payload: &'a [u8],
    count: usize,
    width_min: usize,
    mut each: impl FnMut(&[&'a [u8]; N], usize),
) -> Result<(), Malformed> {
    let fields = 1 + payload.iter().filter(|byte| **byte == b'^').count();
    let width = fields / count;
    if fields % count != 0 || width < width_min {
        return Err(Malformed::new(
            place,
            format!("{count} records of at least {width_min} fields expected, was {fields} fields"),
        ));
    }
    let mut record: [&[u8]; N] = [b""; N];
    let mut index = 0;
    for field in payload.split(|byte| *byte == b'^') {
        if let Some(slot) = record.get_mut(index) {
            *slot = field;
        }
        index += 1;
        if index == width {
            each(&record, width);
            index = 0;
        }
    }
    Ok(())
}

/// Reads every trade of a frame's payload into `trades`; bad records go to `faults`.
pub(super) fn trades(
    payload: &[u8],
    count: usize,
    received_us: u64,
    trades: &mut Vec<Trade>,
    faults: &mut Vec<Malformed>,
) {
    let split =
        records::<TRADE_WIDTH>(
            TRADE,
            payload,
            count,
            TRADE_WIDTH_MIN,
            |fields, width| match trade(fields, width, received_us) {
                Ok(trade) => trades.push(trade),
                Err(reason) => {
                    let symbol = fields[0];
                    faults.push(Malformed::new(TRADE, reason).with_excerpt(symbol));
                }
            },
        );
    if let Err(fault) = split {
        faults.push(fault.with_excerpt(payload));
    }
}

/// Reads one trade record; the error names the field.
fn trade(fields: &[&[u8]; TRADE_WIDTH], width: usize, received_us: u64) -> Result<Trade, String> {
    let named = |index: usize, name: &'static str| {
        move |fault: String| format!("field {index} {name}: {fault}")
    };
    let quantity = |index: usize, name| {
        number::quantity(fields[index])
            .map(Option::unwrap_or_default)
            .map_err(named(index, name))
    };
    let needed = |index: usize, name| {
        number::quantity(fields[index])
            .and_then(|value| value.ok_or_else(|| "number expected, was blank".to_owned()))
            .map_err(named(index, name))
    };
    let price = |index: usize, name| number::price(fields[index]).map_err(named(index, name));
    let fixed = |index: usize, name| {
        number::fixed(fields[index], 4)
            .map(Option::unwrap_or_default)
            .map_err(named(index, name))
    };
    let change_rate_units = fixed(5, "PRDY_CTRT")?;
    Ok(Trade {
        received_us,
        symbol: symbol(fields[0]).map_err(named(0, "MKSC_SHRN_ISCD"))?,
        time: number::time(fields[1]).map_err(named(1, "STCK_CNTG_HOUR"))?,
        business_date: number::date(fields[33]).map_err(named(33, "BSOP_DATE"))?,
        last: price(2, "STCK_PRPR")?
            .ok_or_else(|| named(2, "STCK_PRPR")("price must be positive, was 0".to_owned()))?,
        bid: price(11, "BIDP1")?,
        ask: price(10, "ASKP1")?,
        bid_quantity: quantity(37, "BIDP_RSQN1")?,
        ask_quantity: quantity(36, "ASKP_RSQN1")?,
        volume: needed(12, "CNTG_VOL")?,
        cumulative_volume: needed(13, "ACML_VOL")?,
        cumulative_value_won: fixed(14, "ACML_TR_PBMN")? / 10_000,
        change_units: signed_change(fields[3], fixed(4, "PRDY_VRSS")?, change_rate_units),
        change_rate_units,
        halted: fields[35].trim_ascii() == b"Y",
        hour_class: hour_class(fields[43]),
        market_class: (width >= TRADE_WIDTH)
            .then(|| market_class(fields[46]))
            .flatten(),
    })
}

/// Returns the symbol in `text`.
pub(super) fn symbol(text: &[u8]) -> Result<Symbol, String> {
    std::str::from_utf8(text.trim_ascii())
        .map_err(|_| format!("symbol expected, was {}", number::shown(text)))?
        .parse()
        .map_err(|error: turnstile_dataflows::model::SymbolError| error.to_string())
}

/// Returns `change` with the direction of its sign code: 1 upper limit and 2 up are positive, 4
/// lower limit and 5 down negative, 3 is flat. The text may carry a minus of its own.
///
/// Where code and change rate disagree the rate wins, since it is signed and computed.
pub(super) fn signed_change(code: &[u8], change: i64, rate: i64) -> i64 {
    let size = change.checked_abs().unwrap_or(i64::MAX);
    let by_code = match code.trim_ascii() {
        b"1" | b"2" => 1,
        b"4" | b"5" => -1,
        b"3" => 0,
        _ => change.signum(),
    };
    let direction = if rate == 0 { by_code } else { rate.signum() };
    size * direction
}

fn hour_class(text: &[u8]) -> HourClass {
    match text.trim_ascii() {
        b"0" => HourClass::InSession,
        b"A" => HourClass::ExpectedAfterClose,
        b"B" => HourClass::ExpectedBeforeOpen,
        b"C" => HourClass::ExpectedInSession,
        b"D" => HourClass::AfterHoursSinglePrice,
        other => HourClass::Other(other.first().copied().unwrap_or_default()),
    }
}

fn market_class(text: &[u8]) -> Option<MarketClass> {
    Some(match text.trim_ascii() {
        b"1" => MarketClass::PreMarket,
        b"2" => MarketClass::Regular,
        b"3" => MarketClass::AfterMarket,
        b"5" => MarketClass::Close,
        other => MarketClass::Other(*other.first()?),
    })
}
