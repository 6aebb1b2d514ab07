//! Files of daily bars, as the Korea Exchange lists them.

use jiff::civil::Date;
use rust_decimal::Decimal;
use turnstile_dataflows::model::{Market, Symbol};

use super::error::{FieldFault, RecordedError, of_column};
use super::fields;
use super::row_file::{FileRow, Opening, RowFile};
use super::table::{Column, Fields};

const COLUMNS: [Column; 13] = [
    ("date", true),
    ("symbol", true),
    ("name", true),
    ("market", true),
    ("open", true),
    ("high", true),
    ("low", true),
    ("close", true),
    ("volume", true),
    ("value", true),
    ("market_cap", false),
    ("shares", false),
    ("dept", false),
];
/// Departments of issues that have none for being designated.
const MANAGED: &str = "관리종목(소속부없음)";
const CAUTION: &str = "투자주의환기종목(소속부없음)";
/// Decimals of a price.
const PLACES: u32 = 4;

/// How an issue is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Its name.
    pub name: String,
    /// KOSPI, KOSDAQ or KONEX.
    pub market: &'static str,
    /// Section of its market, if any: GLOBAL, else the department (소속부).
    pub segment: Option<String>,
    /// What its department says of how it is designated.
    pub designation: Designation,
}

/// What the department of an issue says of it; `None` where it does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Designation {
    /// Whether it is an administrative issue (관리종목).
    pub is_managed: Option<bool>,
    /// Whether investors are reminded to be careful (투자주의환기종목).
    pub is_caution: Option<bool>,
}

impl Designation {
    /// Returns what `department` says. The exchange takes a designated issue out of its department and
    /// lists the gravest designation in its place; one that is in a department has none. Issues of KOSPI
    /// have no department, and nothing is said of them.
    fn of(department: &str) -> Self {
        let (is_managed, is_caution) = match department {
            "" => (None, None),
            MANAGED => (Some(true), Some(false)),
            CAUTION => (Some(false), Some(true)),
            _ => (Some(false), Some(false)),
        };
        Self {
            is_managed,
            is_caution,
        }
    }
}

/// One issue on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DailyRow {
    /// Trading day.
    pub date: Date,
    /// Issue.
    pub symbol: Symbol,
    /// How it is listed, where the source says so.
    pub listing: Option<Listing>,
    /// First price, KRW; zero, like high and low, where the issue was halted.
    pub open: Decimal,
    /// Highest price.
    pub high: Decimal,
    /// Lowest price.
    pub low: Decimal,
    /// Last price.
    pub close: Decimal,
    /// Shares traded.
    pub volume: i64,
    /// KRW traded.
    pub value: Decimal,
    /// KRW that all shares are worth.
    pub market_cap: Option<Decimal>,
    /// Shares listed.
    pub shares: Option<i64>,
}

impl FileRow for DailyRow {
    fn begin(file: Opening<'_>) -> Result<RowFile<Self>, RecordedError> {
        file.with(&COLUMNS, parse)
    }
}

fn parse(row: &Fields<'_, 13>) -> Result<DailyRow, FieldFault> {
    let [
        date,
        symbol,
        name,
        market,
        open,
        high,
        low,
        close,
        volume,
        value,
        cap,
        shares,
        dept,
    ] = row.map(Option::unwrap_or_default);
    let price = |text, column| {
        let units = fields::decimal(text, PLACES).map_err(of_column(column))?;
        not_negative(units, text, column).map(|units| Decimal::new(units, PLACES))
    };
    let count = |text, column| {
        let count = fields::integer(text).map_err(of_column(column))?;
        not_negative(count, text, column)
    };
    let (market, of_market) = listing(market)?;
    let dept = fields::text(dept).map_err(of_column("dept"))?;
    let segment = of_market.or(Some(dept).filter(|dept| !dept.is_empty()));
    let bar = DailyRow {
        date: fields::date(date).map_err(of_column("date"))?,
        symbol: fields::symbol(symbol).map_err(of_column("symbol"))?,
        listing: Some(Listing {
            name: fields::text(name).map_err(of_column("name"))?.to_owned(),
            market,
            segment: segment.map(str::to_owned),
            designation: Designation::of(dept),
        }),
        open: price(open, "open")?,
        high: price(high, "high")?,
        low: price(low, "low")?,
        close: price(close, "close")?,
        volume: count(volume, "volume")?,
        value: Decimal::from(count(value, "value")?),
        market_cap: match cap {
            [] => None,
            cap => Some(Decimal::from(count(cap, "market_cap")?)),
        },
        shares: match shares {
            [] => None,
            shares => Some(count(shares, "shares")?),
        },
    };
    check(&bar)?;
    Ok(bar)
}

fn not_negative(value: i64, text: &[u8], column: &'static str) -> Result<i64, FieldFault> {
    if value >= 0 {
        return Ok(value);
    }
    Err(FieldFault {
        column,
        reason: format!("zero or more expected, was {}", fields::shown(text)),
    })
}

/// Returns the market and what its name says of the section: KOSDAQ GLOBAL is a part of KOSDAQ.
fn listing(text: &[u8]) -> Result<(&'static str, Option<&'static str>), FieldFault> {
    if text == b"KOSDAQ GLOBAL" {
        return Ok((Market::Kosdaq.name(), Some("GLOBAL")));
    }
    match fields::parsed(text) {
        Ok(market @ (Market::Kospi | Market::Kosdaq | Market::Konex)) => Ok((market.name(), None)),
        Ok(Market::Unknown) | Err(_) => Err(FieldFault {
            column: "market",
            reason: format!(
                "KOSPI, KOSDAQ, KOSDAQ GLOBAL or KONEX expected, was {}",
                fields::shown(text)
            ),
        }),
    }
}

/// A bar has a close; one with trades has its prices in order, a halted one has zeros.
fn check(bar: &DailyRow) -> Result<(), FieldFault> {
    let fault = |column, reason| Err(FieldFault { column, reason });
    if bar.close.is_zero() {
        return fault("close", "a price above zero expected, was 0".to_owned());
    }
    let prices = [bar.open, bar.high, bar.low];
    if prices.iter().all(Decimal::is_zero) {
        return Ok(());
    }
    if bar.low.is_zero() || bar.low > bar.open.min(bar.close) {
        return fault("low", format!("lowest price expected, was {}", bar.low));
    }
    if bar.high < bar.open.max(bar.close) {
        return fault("high", format!("highest price expected, was {}", bar.high));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::super::table::OnFault;
    use super::*;

    const HEADER: &str =
        "date,symbol,name,market,open,high,low,close,volume,value,market_cap,shares,dept";

    fn read(line: &str) -> Result<Option<DailyRow>, String> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "{HEADER}\n{line}").unwrap();
        let opened = DailyRow::open(file.path(), OnFault::Stop, None);
        let read = opened.and_then(|mut file| file.next_row());
        read.map_err(|error| error.to_string())
    }

    #[test]
    fn a_bar_of_the_global_section_and_a_halted_one_are_read() {
        let bar = read("2026-01-02,0004Y0,가나다,KOSDAQ GLOBAL,6250,6300,6190,6210,73031,454875500,173454428700,27931470,").unwrap().unwrap();
        let listing = bar.listing.unwrap();
        assert_eq!(
            (listing.market, listing.segment.as_deref()),
            ("KOSDAQ", Some("GLOBAL"))
        );
        let halted = read("2026-01-02,000040,나,KONEX,0,0,0,443,0,0,,,")
            .unwrap()
            .unwrap();
        assert_eq!((halted.open, halted.close), (Decimal::ZERO, 443.into()));
        assert_eq!(halted.shares, None);
    }

    #[test]
    fn a_department_tells_managed_issues_and_those_under_a_caution() {
        for (department, expected) in [
            ("", (None, None)),
            ("관리종목(소속부없음)", (Some(true), Some(false))),
            ("투자주의환기종목(소속부없음)", (Some(false), Some(true))),
            ("우량기업부", (Some(false), Some(false))),
            ("SPAC(소속부없음)", (Some(false), Some(false))),
        ] {
            let line = format!("2026-01-02,1,n,KOSDAQ,1,1,1,1,1,1,,,{department}");
            let told = read(&line).unwrap().unwrap().listing.unwrap().designation;
            assert_eq!((told.is_managed, told.is_caution), expected, "{department}");
        }
    }

    #[test]
    fn what_cannot_be_a_bar_is_told_with_its_column() {
        let faults = [
            ("2026-02-30,1,n,KOSPI,1,1,1,1,1,1,,,", "date"),
            ("2026-01-02,1,n,NYSE,1,1,1,1,1,1,,,", "market"),
            ("2026-01-02,1,n,KOSPI,1,1,1,0,1,1,,,", "close"),
            ("2026-01-02,1,n,KOSPI,5,4,1,4,1,1,,,", "high"),
            ("2026-01-02,1,n,KOSPI,5,6,5,4,1,1,,,", "low"),
            ("2026-01-02,1,n,KOSPI,5,6,0,5,1,1,,,", "low"),
            ("2026-01-02,1,n,KOSPI,5,6,5,5,-1,1,,,", "volume"),
        ];
        for (line, column) in faults {
            let fault = read(line).unwrap_err();
            assert!(
                fault.contains(&format!("column {column}")) || fault.contains(column),
                "{fault}"
            );
        }
    }
}
