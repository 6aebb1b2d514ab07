//! Built-in issues and holidays.

use jiff::civil::{Date, date};
use rust_decimal::Decimal;

use super::{CompanyConfig, Market, StockConfig};
use crate::{price::Price, symbol::Symbol};

/// Code, name, market, close in KRW, volume and listed shares; of the shares as of 2026-02-20
/// (Korea Exchange statistics), of the two funds in round figures.
const STOCKS: [(&str, &str, Market, i64, i64, i64); 22] = [
    (
        "005930",
        "삼성전자",
        Market::Kospi,
        190_100,
        24_213_880,
        5_919_637_922,
    ),
    (
        "000660",
        "SK하이닉스",
        Market::Kospi,
        949_000,
        5_054_333,
        728_002_365,
    ),
    (
        "005380",
        "현대차",
        Market::Kospi,
        509_000,
        1_251_835,
        204_757_766,
    ),
    (
        "373220",
        "LG에너지솔루션",
        Market::Kospi,
        401_500,
        219_069,
        234_000_000,
    ),
    (
        "207940",
        "삼성바이오로직스",
        Market::Kospi,
        1_736_000,
        32_604,
        46_290_951,
    ),
    (
        "402340",
        "SK스퀘어",
        Market::Kospi,
        580_000,
        731_445,
        132_087_115,
    ),
    (
        "000270",
        "기아",
        Market::Kospi,
        171_800,
        1_074_310,
        390_412_998,
    ),
    (
        "034020",
        "두산에너빌리티",
        Market::Kospi,
        103_500,
        12_069_557,
        640_561_146,
    ),
    (
        "012450",
        "한화에어로스페이스",
        Market::Kospi,
        1_242_000,
        443_593,
        51_563_401,
    ),
    (
        "329180",
        "HD현대중공업",
        Market::Kospi,
        602_000,
        333_710,
        104_961_225,
    ),
    (
        "105560",
        "KB금융",
        Market::Kospi,
        168_800,
        1_321_785,
        372_850_455,
    ),
    (
        "028260",
        "삼성물산",
        Market::Kospi,
        331_000,
        512_739,
        169_976_544,
    ),
    (
        "068270",
        "셀트리온",
        Market::Kospi,
        242_000,
        468_296,
        231_048_261,
    ),
    (
        "055550",
        "신한지주",
        Market::Kospi,
        102_000,
        1_540_884,
        485_494_934,
    ),
    (
        "042660",
        "한화오션",
        Market::Kospi,
        149_900,
        4_322_685,
        306_413_394,
    ),
    (
        "015760",
        "한국전력",
        Market::Kospi,
        63_000,
        2_851_514,
        641_964_077,
    ),
    (
        "035420",
        "NAVER",
        Market::Kospi,
        254_500,
        948_594,
        156_852_638,
    ),
    (
        "086790",
        "하나금융지주",
        Market::Kospi,
        131_300,
        1_186_291,
        278_325_814,
    ),
    (
        "196170",
        "알테오젠",
        Market::Kosdaq,
        400_000,
        500_000,
        53_500_000,
    ),
    (
        "247540",
        "에코프로비엠",
        Market::Kosdaq,
        200_000,
        1_000_000,
        97_800_000,
    ),
    (
        "069500",
        "KODEX 200",
        Market::Etf,
        84_000,
        9_000_000,
        200_000_000,
    ),
    (
        "229200",
        "KODEX 코스닥150",
        Market::Etf,
        19_500,
        20_000_000,
        100_000_000,
    ),
];

/// Sectors of the shares, in the order of [`STOCKS`].
const SECTORS: [&str; 20] = [
    "전기·전자",
    "전기·전자",
    "운송장비·부품",
    "전기·전자",
    "제약",
    "금융",
    "운송장비·부품",
    "기계·장비",
    "운송장비·부품",
    "운송장비·부품",
    "금융",
    "유통",
    "제약",
    "금융",
    "운송장비·부품",
    "전기·가스",
    "IT 서비스",
    "금융",
    "제약",
    "전기·전자",
];

/// Of a share: PER 12 and PBR 1.25 at its close, in round figures.
fn company(at: usize, close: i64) -> CompanyConfig {
    SECTORS
        .get(at)
        .map_or_else(CompanyConfig::default, |sector| CompanyConfig {
            sector: (*sector).to_owned(),
            eps: Decimal::from(close / 12),
            bps: Decimal::from(close * 4 / 5),
        })
}

pub(super) fn stocks() -> Vec<StockConfig> {
    STOCKS
        .iter()
        .enumerate()
        .map(
            |(at, &(symbol, name, market, close, prev_volume, listed_shares))| StockConfig {
                symbol: Symbol::new(symbol).expect("every code of the table is one"),
                name: name.to_owned(),
                market,
                prev_close: Price::from_won(close),
                prev_volume,
                listed_shares,
                company: company(at, close),
                script: Vec::new(),
            },
        )
        .collect()
}

/// Weekday closures of 2026 and 2027 as far as they are known (KRX market rules, section 2).
pub(super) fn holidays() -> Vec<Date> {
    vec![
        date(2026, 1, 1),
        date(2026, 2, 16),
        date(2026, 2, 17),
        date(2026, 2, 18),
        date(2026, 3, 2),
        date(2026, 5, 1),
        date(2026, 5, 5),
        date(2026, 5, 25),
        date(2026, 6, 3),
        date(2026, 8, 17),
        date(2026, 9, 24),
        date(2026, 9, 25),
        date(2026, 10, 5),
        date(2026, 10, 9),
        date(2026, 12, 25),
        date(2026, 12, 31),
        date(2027, 1, 1),
        date(2027, 2, 8),
        date(2027, 2, 9),
        date(2027, 2, 10),
        date(2027, 3, 1),
        date(2027, 5, 5),
        date(2027, 5, 13),
        date(2027, 8, 16),
        date(2027, 9, 14),
        date(2027, 9, 15),
        date(2027, 9, 16),
        date(2027, 10, 4),
        date(2027, 12, 31),
    ]
}

pub(super) const fn prev_volume() -> i64 {
    1_000_000
}

pub(super) const fn listed_shares() -> i64 {
    100_000_000
}

pub(super) const fn speed() -> Decimal {
    Decimal::ONE
}
