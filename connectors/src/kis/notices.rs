//! Execution notices (KIS Open API, H0STCNI0 and H0STCNI9): decryption and reading.
//!
//! A notice has no execution id and no cumulative quantity, and two equal fills give equal
//! notices: it is a hint for speed, the truth is the daily order list.

use std::fmt;

use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockDecryptMut, KeyIvInit};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::civil::Time;
use turnstile_dataflows::model::{Price, Quantity, Symbol};

use super::error::Malformed;
use super::number;
use super::order::{Account, OrderNumber, Side};
use super::parse;

/// Fields of a notice; an older layout of 23 is refused.
const WIDTH: usize = 26;
/// Place of a fault in a notice. No excerpt is ever added: a notice names a person.
const NOTICE: &str = "execution notice";

/// Key of an encrypted stream, given with the answer to its subscription. `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct StreamKey {
    key: [u8; 32],
    iv: [u8; 16],
}

impl StreamKey {
    /// Returns the key of 32 and 16 ASCII characters, which are used as they are.
    ///
    /// # Errors
    /// If the lengths differ from that.
    pub(super) fn new(key: &str, iv: &str) -> Result<Self, Malformed> {
        match (key.as_bytes().try_into(), iv.as_bytes().try_into()) {
            (Ok(key), Ok(iv)) => Ok(Self { key, iv }),
            _ => Err(Malformed::new(
                "subscription answer",
                format!(
                    "key of 32 and iv of 16 bytes expected, was {} and {}",
                    key.len(),
                    iv.len()
                ),
            )),
        }
    }

    /// Decrypts a payload: base64 of AES-256-CBC with PKCS#7 padding, the same iv every time.
    ///
    /// # Errors
    /// If it is not base64 or does not decrypt with this key.
    pub(super) fn decrypt(&self, payload: &str) -> Result<Vec<u8>, Malformed> {
        let mut bytes = STANDARD
            .decode(payload.trim())
            .map_err(|error| Malformed::new(NOTICE, format!("base64 expected: {error}")))?;
        let cipher = cbc::Decryptor::<aes::Aes256>::new(&self.key.into(), &self.iv.into());
        let len = cipher
            .decrypt_padded_mut::<Pkcs7>(&mut bytes)
            .map_err(|_| Malformed::new(NOTICE, "does not decrypt with the key of its stream"))?
            .len();
        bytes.truncate(len);
        Ok(bytes)
    }
}

impl fmt::Debug for StreamKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StreamKey(..)")
    }
}

/// What the broker says about one of our orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Microseconds since the Unix epoch at which the frame was read.
    pub received_us: u64,
    /// The order. A cancel or replace has a number of its own.
    pub number: OrderNumber,
    /// The order that a cancel or replace is about.
    pub original: Option<OrderNumber>,
    /// Direction.
    pub side: Side,
    /// New order, replace or cancel.
    pub class: NoticeClass,
    /// What happened.
    pub event: NoticeEvent,
    /// The issue.
    pub symbol: Symbol,
    /// Quantity of the order (not of the fill).
    pub order_quantity: Quantity,
    /// Price of the order; `None` at market, or where the notice does not say.
    pub order_price: Option<Price>,
    /// Type code of the order (ORD_DVSN), such as `00` for limit.
    pub order_type: String,
    /// Time of the event in Seoul.
    pub time: Time,
    /// Branch number.
    pub branch: String,
}

/// What kind of request a notice belongs to (RCTF_CLS).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoticeClass {
    /// A new order, `0`.
    New,
    /// A replace, `1`.
    Replace,
    /// A cancel, `2`.
    Cancel,
}

/// What happened to the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeEvent {
    /// Part or all of the order was filled.
    Fill {
        /// Shares of this fill alone.
        quantity: Quantity,
        /// Price of this fill.
        price: Price,
    },
    /// The request was refused.
    Rejected {
        /// Shares asked for.
        quantity: Quantity,
    },
    /// The exchange received the request.
    Received {
        /// Shares asked for.
        quantity: Quantity,
    },
    /// The request took effect: for a cancel, these shares are gone from the book.
    Confirmed {
        /// Shares concerned.
        quantity: Quantity,
    },
    /// The unfilled rest of an immediate order lapsed.
    Lapsed {
        /// Shares that lapsed.
        quantity: Quantity,
    },
}

/// Reads the plain text of a frame with `count` notices: those of `account` go to `notices`, bad
/// ones to `faults`. Returns how many belong to other accounts of the same login.
pub(super) fn notices(
    plain: &[u8],
    count: usize,
    account: &Account,
    received_us: u64,
    notices: &mut Vec<Notice>,
    faults: &mut Vec<Malformed>,
) -> usize {
    let mut foreign = 0;
    let split = parse::records::<WIDTH>(NOTICE, plain, count, WIDTH, |fields, _width| {
        if !account.is(fields[1]) {
            foreign += 1;
            return;
        }
        match notice(fields, received_us) {
            Ok(notice) => notices.push(notice),
            Err(reason) => faults.push(Malformed::new(NOTICE, reason)),
        }
    });
    faults.extend(split.err());
    foreign
}

/// Reads one notice; the error names the field.
fn notice(fields: &[&[u8]; WIDTH], received_us: u64) -> Result<Notice, String> {
    let named = |index: usize, name: &'static str| {
        move |fault: String| format!("field {index} {name}: {fault}")
    };
    let text = |index: usize| String::from_utf8_lossy(fields[index].trim_ascii()).into_owned();
    let event = event(fields)?;
    let price_index = if matches!(event, NoticeEvent::Fill { .. }) {
        25
    } else {
        10
    };
    Ok(Notice {
        received_us,
        number: OrderNumber::needed(fields[2]).map_err(named(2, "ODER_NO"))?,
        original: OrderNumber::optional(fields[3]).map_err(named(3, "OODER_NO"))?,
        side: Side::from_code(fields[4]).map_err(named(4, "SELN_BYOV_CLS"))?,
        class: class(fields[5]).map_err(named(5, "RCTF_CLS"))?,
        event,
        symbol: parse::symbol(fields[8]).map_err(named(8, "STCK_SHRN_ISCD"))?,
        order_quantity: number::quantity(fields[16])
            .map(Option::unwrap_or_default)
            .map_err(named(16, "ODER_QTY"))?,
        order_price: number::price(fields[price_index]).map_err(named(price_index, "price"))?,
        order_type: text(6),
        time: number::time(fields[11]).map_err(named(11, "STCK_CNTG_HOUR"))?,
        branch: text(15),
    })
}

fn class(text: &[u8]) -> Result<NoticeClass, String> {
    match text.trim_ascii() {
        b"0" | b"" => Ok(NoticeClass::New),
        b"1" => Ok(NoticeClass::Replace),
        b"2" => Ok(NoticeClass::Cancel),
        other => Err(format!("0, 1 or 2 expected, was {}", number::shown(other))),
    }
}

/// Reads what happened from CNTG_YN, RFUS_YN and ACPT_YN. RFUS_YN is 0 or 1, not Y or N.
fn event(fields: &[&[u8]; WIDTH]) -> Result<NoticeEvent, String> {
    let quantity = number::quantity(fields[9])
        .map_err(|fault| format!("field 9 CNTG_QTY: {fault}"))?
        .unwrap_or_default();
    let filled = match fields[13].trim_ascii() {
        b"2" => true,
        b"1" => false,
        other => {
            let was = number::shown(other);
            return Err(format!("field 13 CNTG_YN: 1 or 2 expected, was {was}"));
        }
    };
    if filled {
        let price = number::price(fields[10])
            .and_then(|price| price.ok_or_else(|| "price of a fill must be positive".to_owned()))
            .map_err(|fault| format!("field 10 CNTG_UNPR: {fault}"))?;
        if quantity.is_zero() {
            return Err("field 9 CNTG_QTY: quantity of a fill must be positive, was 0".to_owned());
        }
        return Ok(NoticeEvent::Fill { quantity, price });
    }
    match (fields[12].trim_ascii(), fields[14].trim_ascii()) {
        (b"1", _) => Ok(NoticeEvent::Rejected { quantity }),
        (b"0" | b"", b"1") => Ok(NoticeEvent::Received { quantity }),
        (b"0" | b"", b"2") => Ok(NoticeEvent::Confirmed { quantity }),
        (b"0" | b"", b"3") => Ok(NoticeEvent::Lapsed { quantity }),
        (refused, accepted) => Err(format!(
            "field 12 RFUS_YN of 0 or 1 and field 14 ACPT_YN of 1 to 3 expected, was {} and {}",
            number::shown(refused),
            number::shown(accepted)
        )),
    }
}
