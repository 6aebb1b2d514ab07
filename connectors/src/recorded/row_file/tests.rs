//! What the rows of the strategy's files may hold.

use jiff::civil::Date;
use proptest::prelude::*;
use rust_decimal::Decimal;
use turnstile_dataflows::model::{LogicalTime, Symbol};

use super::super::disclosures::{self, DisclosureRow};
use super::super::flows::{self, FlowRow};
use super::super::fundamentals::{self, FundamentalRow};
use super::super::rankings::{self, RankingRow};
use super::super::sectors::{self, SectorRow};
use super::*;

fn bytes<'r, const N: usize>(texts: &'r [String; N]) -> Fields<'r, N> {
    texts.each_ref().map(|text| Some(text.as_bytes()))
}

fn row<'r, const N: usize>(texts: [&'r str; N]) -> Fields<'r, N> {
    texts.map(|text| Some(text.as_bytes()))
}

fn shown<T: ToString>(value: Option<&T>) -> String {
    value.map_or_else(String::new, T::to_string)
}

#[test]
fn a_row_that_lacks_optional_columns_is_read() {
    let told = [
        Some(&b"A1"[..]),
        Some(b"2026-02-20"),
        Some(b"-3.25"),
        None,
        None,
        None,
        None,
        None,
        None,
    ];
    let figures = fundamentals::parse(&told).unwrap();
    assert_eq!(figures.per, Some(Decimal::new(-325, 2)));
    assert_eq!((figures.roe, figures.bps), (None, None));
    let flow = flows::parse(&row(["A1", "2026-02-20", "", "-5", ""])).unwrap();
    assert_eq!((flow.foreign_net, flow.institution_net), (None, Some(-5)));
    let told = [Some(&b"A1"[..]), Some("화학".as_bytes()), None];
    assert_eq!(sectors::parse(&told).unwrap().industry, None);
}

#[test]
fn faults_name_their_column_and_what_was_expected() {
    let figures = |at: usize, text| {
        let mut texts = ["A", "2026-02-20", "1", "", "", "", "", "", ""];
        texts[at] = text;
        let fault = fundamentals::parse(&row(texts)).unwrap_err();
        (fault.column, fault.reason)
    };
    let (column, reason) = figures(2, "");
    assert_eq!(column, "per");
    assert!(
        reason.starts_with("at least one figure expected"),
        "{reason}"
    );
    assert_eq!(figures(0, "").0, "symbol");
    assert_eq!(figures(1, "2026-02-30").0, "report_date");
    assert_eq!(figures(5, "15%").0, "roe");
    assert!(figures(6, "0.1234567").1.contains("at most 6 decimals"));
    assert!(figures(7, "NaN").1.starts_with("number expected"));
    for (texts, column) in [
        (["A", "20.02.2026", "1", "", ""], "date"),
        (["A", "2026-02-20", "", "", ""], "foreign_net"),
        (["A", "2026-02-20", "1", "1.5", ""], "institution_net"),
        (["A", "2026-02-20", "1", "", "1e3"], "individual_net"),
    ] {
        assert_eq!(flows::parse(&row(texts)).unwrap_err().column, column);
    }
    for (texts, column) in [
        (
            ["", "A", "2026-02-20T09:00:00+09:00", "t", ""],
            "receipt_no",
        ),
        (
            ["20260220 1", "A", "2026-02-20T09:00:00+09:00", "t", ""],
            "receipt_no",
        ),
        (["1", "-", "2026-02-20T09:00:00+09:00", "t", ""], "symbol"),
        (["1", "A", "2026-02-20 09:00", "t", ""], "disclosed_ts"),
        (["1", "A", "2026-02-20T09:00:00+09:00", " ", ""], "title"),
    ] {
        assert_eq!(disclosures::parse(&row(texts)).unwrap_err().column, column);
    }
    for (texts, column) in [
        (["popular", "KOSPI", "1", "A", "2026-02-20"], "category"),
        (["POPULAR", "KONEX", "1", "A", "2026-02-20"], "market"),
        (["POPULAR", "KOSPI", "0", "A", "2026-02-20"], "rank"),
        (
            ["POPULAR", "KOSPI", "3000000000", "A", "2026-02-20"],
            "rank",
        ),
        (["POPULAR", "KOSPI", "1", "A", "today"], "collected_on"),
    ] {
        assert_eq!(rankings::parse(&row(texts)).unwrap_err().column, column);
    }
    assert_eq!(
        sectors::parse(&row(["A", "", ""])).unwrap_err().column,
        "sector"
    );
}

fn any_symbol() -> impl Strategy<Value = Symbol> {
    "[A-Za-z0-9]{1,9}".prop_map(|text| text.parse().unwrap())
}

fn any_date() -> impl Strategy<Value = Date> {
    (1990_i16..2100, 1_i8..=12, 1_i8..=28).prop_map(|(y, m, d)| jiff::civil::date(y, m, d))
}

fn any_figure(places: u32) -> impl Strategy<Value = Option<Decimal>> {
    let units = -1_000_000_000_000_i64..1_000_000_000_000;
    prop::option::of(units.prop_map(move |units| Decimal::new(units, places)))
}

/// A text as a title or the name of a sector may be.
fn any_text() -> impl Strategy<Value = String> {
    "[가-힣A-Za-z0-9(),·\"'ㆍ]{1,20}( [가-힣]{1,5})?"
}

type Bytes = Option<Vec<u8>>;

fn any_fields<const N: usize>() -> impl Strategy<Value = [Bytes; N]> {
    let field = prop::option::of(prop_oneof![
        prop::collection::vec(any::<u8>(), 0..24),
        "[-+.0-9T:Z ]{0,24}".prop_map(String::into_bytes),
        "[A-Z]{0,8}".prop_map(String::into_bytes),
    ]);
    prop::collection::vec(field, N).prop_map(|fields| fields.try_into().unwrap())
}

fn slices<const N: usize>(fields: &[Bytes; N]) -> Fields<'_, N> {
    fields.each_ref().map(|field| field.as_deref())
}

proptest! {
    #[test]
    fn parsing_never_panics(
        nine in any_fields::<9>(), five in any_fields::<5>(), three in any_fields::<3>(),
    ) {
        drop(fundamentals::parse(&slices(&nine)));
        drop(flows::parse(&slices(&five)));
        drop(disclosures::parse(&slices(&five)));
        drop(rankings::parse(&slices(&five)));
        drop(sectors::parse(&slices(&three)));
    }

    #[test]
    fn fundamentals_survive_their_text(
        symbol in any_symbol(), report_date in any_date(),
        ratios in prop::collection::vec(any_figure(6), 5),
        eps in any_figure(4), bps in any_figure(4),
    ) {
        let row = FundamentalRow {
            symbol, report_date, per: ratios[0], pbr: ratios[1], psr: ratios[2], roe: ratios[3],
            debt_ratio: ratios[4], eps, bps,
        };
        let figures = [row.per, row.pbr, row.psr, row.roe, row.debt_ratio, row.eps, row.bps];
        let texts = figures.map(|figure| shown(figure.as_ref()));
        let [per, pbr, psr, roe, debt_ratio, eps, bps] = texts;
        let texts = [
            symbol.to_string(), report_date.to_string(), per, pbr, psr, roe, debt_ratio, eps, bps,
        ];
        match fundamentals::parse(&bytes(&texts)) {
            Ok(read) => prop_assert_eq!(read, row),
            Err(_) => prop_assert!(figures.iter().all(Option::is_none)),
        }
    }

    #[test]
    fn flows_survive_their_text(
        symbol in any_symbol(), date in any_date(),
        nets in prop::array::uniform3(prop::option::of(-1_000_000_000_000_i64..1_000_000_000_000)),
    ) {
        let [foreign_net, institution_net, individual_net] = nets;
        let row = FlowRow { symbol, date, foreign_net, institution_net, individual_net };
        let [foreign, institution, individual] = nets.map(|net| shown(net.as_ref()));
        let texts = [symbol.to_string(), date.to_string(), foreign, institution, individual];
        match flows::parse(&bytes(&texts)) {
            Ok(read) => prop_assert_eq!(read, row),
            Err(_) => prop_assert_eq!(nets, [None; 3]),
        }
    }

    #[test]
    fn disclosures_survive_their_text(
        receipt_no in "[0-9A-Za-z-]{1,32}", symbol in any_symbol(), micros in 0_u64..4_102_444_800_000_000,
        title in any_text(), url in prop::option::of("https://[a-z]{1,9}/[a-z0-9?=]{0,9}"),
    ) {
        let disclosed = LogicalTime::from_micros(micros);
        let row = DisclosureRow { receipt_no, symbol, disclosed, title, url };
        let texts = [
            row.receipt_no.clone(), symbol.to_string(), disclosed.to_string(), row.title.clone(),
            shown(row.url.as_ref()),
        ];
        prop_assert_eq!(disclosures::parse(&bytes(&texts)).unwrap(), row);
    }

    #[test]
    fn places_and_sectors_survive_their_text(
        market in prop::sample::select(vec!["KOSPI", "KOSDAQ"]), rank in 1_i32.., symbol in any_symbol(),
        collected_on in any_date(), sector in any_text(), industry in prop::option::of(any_text()),
    ) {
        let row = RankingRow { category: "POPULAR", market, rank, symbol, collected_on };
        let texts = [
            "POPULAR".to_owned(), market.to_owned(), rank.to_string(), symbol.to_string(),
            collected_on.to_string(),
        ];
        prop_assert_eq!(rankings::parse(&bytes(&texts)).unwrap(), row);
        let row = SectorRow { symbol, sector, industry };
        let texts = [symbol.to_string(), row.sector.clone(), shown(row.industry.as_ref())];
        prop_assert_eq!(sectors::parse(&bytes(&texts)).unwrap(), row);
    }
}
