//! Event: what was disclosed.
#![expect(clippy::float_arithmetic, reason = "factors are computed with doubles")]

use serde::{Deserialize, Serialize};

use crate::figure::double;
use crate::{Day, Score};

/// Days for which a disclosure counts.
const AGE_MAX: u32 = 90;
/// Part of its weight that a disclosure loses in a day.
const DECAY: f64 = 0.023;
/// Least weight.
const WEIGHT_MIN: f64 = 0.1;

/// What a disclosure is about. The first whose words are in the title counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum DisclosureKind {
    AuditOpinion,
    Recall,
    Lawsuit,
    Regulatory,
    MergerBad,
    Merger,
    Buyback,
    DividendDown,
    DividendUp,
    EarningsBad,
    Earnings,
    NewProduct,
    Partnership,
    Capex,
    Patent,
    Management,
    Other,
}

/// Words one of which must be in the title.
type OneOf = &'static [&'static str];

/// Rules in their order. A kind has alternatives; of each, every group of words must be met.
const RULES: &[(DisclosureKind, &[&[OneOf]])] = &[
    (
        DisclosureKind::AuditOpinion,
        &[&[&["감사의견"], &["거절", "부적정", "한정"]]],
    ),
    (DisclosureKind::Recall, &[&[&["리콜", "회수"]]]),
    (DisclosureKind::Lawsuit, &[&[&["소송", "피소"]]]),
    (
        DisclosureKind::Regulatory,
        &[&[&["제재", "과징금", "벌금", "영업정지", "불성실공시"]]],
    ),
    (
        DisclosureKind::MergerBad,
        &[&[&["합병"], &["철회", "취소", "무산", "부결"]]],
    ),
    (DisclosureKind::Merger, &[&[&["합병", "인수"]]]),
    (
        DisclosureKind::Buyback,
        &[
            &[&["자기주식"], &["취득"]],
            &[&["자사주"], &["매입", "취득"]],
        ],
    ),
    (
        DisclosureKind::DividendDown,
        &[&[&["배당"], &["감소", "축소", "미실시", "무배당"]]],
    ),
    (
        DisclosureKind::DividendUp,
        &[&[&["배당"], &["증가", "확대", "인상"]]],
    ),
    (
        DisclosureKind::EarningsBad,
        &[
            &[&["적자", "손실"]],
            &[&["실적", "영업이익", "매출"], &["감소", "악화", "하락"]],
        ],
    ),
    (
        DisclosureKind::Earnings,
        &[
            &[&["흑자"]],
            &[
                &["실적", "영업이익", "매출"],
                &["증가", "개선", "상승", "호조"],
            ],
        ],
    ),
    (DisclosureKind::NewProduct, &[&[&["신제품", "출시"]]]),
    (
        DisclosureKind::Partnership,
        &[&[&["제휴", "공급계약", "업무협약", "MOU"]]],
    ),
    (
        DisclosureKind::Capex,
        &[&[&["시설투자", "신규시설", "증설"]]],
    ),
    (DisclosureKind::Patent, &[&[&["특허"]]]),
    (
        DisclosureKind::Management,
        &[&[&["대표이사", "최대주주"], &["변경"]]],
    ),
];

impl DisclosureKind {
    /// Returns what a disclosure of this title is about. Spaces do not count.
    pub(crate) fn of(title: &str) -> Self {
        let title: String = title.chars().filter(|c| !c.is_whitespace()).collect();
        let is_met = |group: &OneOf| group.iter().any(|word| title.contains(word));
        let holds = |alternative: &&[OneOf]| alternative.iter().all(is_met);
        RULES
            .iter()
            .find(|(_kind, alternatives)| alternatives.iter().any(holds))
            .map_or(Self::Other, |(kind, _alternatives)| *kind)
    }

    /// What it means for the price, −1…+1; 0 where it means nothing.
    fn impact(self) -> f64 {
        match self {
            Self::Earnings => 1.0,
            Self::Merger => 0.9,
            Self::Buyback => 0.8,
            Self::NewProduct => 0.7,
            Self::DividendUp | Self::Partnership => 0.6,
            Self::Capex | Self::Patent => 0.5,
            Self::Other => 0.0,
            Self::Management => -0.5,
            Self::DividendDown => -0.6,
            Self::Lawsuit | Self::Regulatory => -0.7,
            Self::Recall | Self::MergerBad => -0.8,
            Self::AuditOpinion => -0.9,
            Self::EarningsBad => -1.0,
        }
    }
}

/// `tanh(1.5·Σ impact·w / Σ w)`, `w = max(e^(−0.023·days), 0.1)`, of disclosures with how many of a
/// kind there are on a day, 0 to 90 days old. Those that mean nothing do not count: they would dilute
/// the mean.
pub(crate) fn event(
    day: Day,
    disclosures: impl IntoIterator<Item = (Day, DisclosureKind, i128)>,
) -> Option<Score> {
    let (mut sum, mut weights) = (0.0, 0.0);
    for (disclosed, kind, count) in disclosures {
        let age = day.0.checked_sub(disclosed.0).filter(|age| *age <= AGE_MAX);
        let Some(age) = age.filter(|_| kind != DisclosureKind::Other) else {
            continue;
        };
        let weight = (-DECAY * f64::from(age)).exp().max(WEIGHT_MIN) * double(count);
        sum += kind.impact() * weight;
        weights += weight;
    }
    (weights > 0.0)
        .then(|| (1.5 * sum / weights).tanh())
        .and_then(Score::rounded)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("감사보고서 제출(감사의견 한정)", DisclosureKind::AuditOpinion)]
    #[case("감사의견 적정", DisclosureKind::Other)]
    #[case("제품 회수 안내", DisclosureKind::Recall)]
    #[case("소송 등의 제기", DisclosureKind::Lawsuit)]
    #[case("불성실 공시 법인 지정", DisclosureKind::Regulatory)]
    #[case("합병 결정 철회", DisclosureKind::MergerBad)]
    #[case("회사합병 결정", DisclosureKind::Merger)]
    #[case("자기 주식 취득 결정", DisclosureKind::Buyback)]
    #[case("자사주 매입", DisclosureKind::Buyback)]
    #[case("자사주 소각", DisclosureKind::Other)]
    #[case("배당 축소", DisclosureKind::DividendDown)]
    #[case("배당 확대 정책", DisclosureKind::DividendUp)]
    #[case("현금 배당 결정", DisclosureKind::Other)]
    #[case("3분기 적자 전환", DisclosureKind::EarningsBad)]
    #[case("영업이익 감소", DisclosureKind::EarningsBad)]
    #[case("매출 호조", DisclosureKind::Earnings)]
    #[case("신제품 공개", DisclosureKind::NewProduct)]
    #[case("단일판매·공급계약 체결", DisclosureKind::Partnership)]
    #[case("MOU 체결", DisclosureKind::Partnership)]
    #[case("공장 증설", DisclosureKind::Capex)]
    #[case("특허권 취득", DisclosureKind::Patent)]
    #[case("최대 주주 변경", DisclosureKind::Management)]
    #[case("주주총회 소집", DisclosureKind::Other)]
    fn kinds_follow_from_the_title(#[case] title: &str, #[case] kind: DisclosureKind) {
        assert_eq!(DisclosureKind::of(title), kind);
    }

    fn units(disclosures: &[(u32, DisclosureKind, i128)]) -> Option<i64> {
        let rows = disclosures
            .iter()
            .map(|&(day, kind, count)| (Day(day), kind, count));
        event(Day(1_000), rows).map(Score::units)
    }

    #[test]
    fn the_mean_is_weighted_by_age() {
        // tanh(1.5·.5)
        let one = units(&[(1_000, DisclosureKind::Patent, 1)]);
        assert_eq!(one, Some(6_351_489_524));
        // Alone, the age of a disclosure makes no difference.
        assert_eq!(units(&[(910, DisclosureKind::Patent, 1)]), one);
        // w = e^−.46 = .631283645506926…: (.5 − .7w)/(1 + w) = .035617…
        let two = units(&[
            (1_000, DisclosureKind::Patent, 1),
            (980, DisclosureKind::Lawsuit, 1),
        ]);
        assert_eq!(two, Some(533_747_445));
    }

    #[test]
    fn equal_disclosures_of_a_day_count_each() {
        // (2·.5 − .7)/3 = .1: tanh .15
        let rows = [
            (1_000, DisclosureKind::Patent, 2),
            (1_000, DisclosureKind::Lawsuit, 1),
        ];
        assert_eq!(units(&rows), Some(1_488_850_336));
    }

    #[test]
    fn what_is_too_old_or_says_nothing_does_not_count() {
        assert_eq!(units(&[]), None);
        assert_eq!(units(&[(909, DisclosureKind::Patent, 1)]), None);
        assert_eq!(units(&[(1_001, DisclosureKind::Patent, 1)]), None);
        assert_eq!(units(&[(1_000, DisclosureKind::Other, 1)]), None);
        let diluted = [
            (1_000, DisclosureKind::Patent, 1),
            (1_000, DisclosureKind::Other, 9),
        ];
        assert_eq!(units(&diluted), Some(6_351_489_524));
    }
}
