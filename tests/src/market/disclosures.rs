//! Disclosures: titles of every kind of docs/strategy.md, and of none.

use jiff::civil::{Date, DateTime};

use super::Character;
use turnstile_oracle::Dice;

/// Titles of kinds that count for an issue.
const GOOD: [&str; 26] = [
    "매출액 또는 손익구조 30% 이상 변동 (영업이익 증가)",
    "연결재무제표 기준 영업(잠정) 실적 개선",
    "당기순이익 흑자 전환",
    "분기 매출 상승",
    "업황 호조에 따른 실적 전망",
    "주요사항보고서 (회사 합병 결정)",
    "타법인 주식 및 출자증권 인수 결정",
    "주요사항보고서 (자기주식 취득 결정)",
    "자기 주식 취득 신탁계약 체결 결정",
    "자사주 매입 계획",
    "자사주 취득 결과 보고",
    "현금ㆍ현물 배당 결정 (배당 증가)",
    "중간 배당 확대",
    "주당 배당금 인상",
    "신제품 공개",
    "차세대 단말기 출시",
    "전략적 제휴 체결",
    "단일판매ㆍ공급계약 체결",
    "단일판매ㆍ공급 계약 체결(자율공시)",
    "공동 연구 업무협약",
    "해외 법인과 MOU 체결",
    "신규 시설투자 등",
    "신규시설 가동",
    "생산 라인 증설",
    "특허권 취득 (자율공시)",
    "미국 특허 등록",
];
/// Titles of kinds that count against it.
const BAD: [&str; 25] = [
    "감사보고서 제출 (감사의견 거절)",
    "감사의견 부적정",
    "감사 의견 한정에 따른 안내",
    "일부 차종 리콜",
    "판매 제품 자진 회수",
    "소송 등의 제기ㆍ신청 (손해배상)",
    "특허 침해로 피소",
    "금융당국 제재 조치",
    "과징금 부과 통보",
    "벌금 등의 부과",
    "영업정지 처분",
    "불성실공시법인 지정",
    "합병 계약 철회",
    "주주총회 합병 안건 부결",
    "합병 취소",
    "인수 합병 무산",
    "배당 감소 안내",
    "결산 배당 축소",
    "배당 미실시 결정",
    "무배당 안내",
    "당기순이익 적자 전환",
    "파생상품 거래 손실 발생",
    "영업이익 감소",
    "매출 하락 (잠정)",
    "실적 악화에 관한 설명",
];
/// Titles of which nothing follows, or nothing certain.
const NEUTRAL: [&str; 10] = [
    "현금ㆍ현물 배당 결정",
    "기업설명회(IR) 개최",
    "주주명부 폐쇄 기간 또는 기준일 설정",
    "임원ㆍ주요주주 특정증권등 소유상황 보고서",
    "정기 주주총회 소집 결의",
    "사외이사의 선임ㆍ해임 또는 중도퇴임에 관한 신고",
    "풍문 또는 보도에 대한 해명 (미확정)",
    "주식 등의 대량보유 상황 보고서",
    "결산실적 공시 예고",
    "본점 소재지 변경",
];
/// A change at the top counts against an issue, in any season.
const MANAGEMENT: [&str; 2] = ["대표이사 변경", "최대주주 변경을 수반하는 주식 담보 제공"];

/// A disclosure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disclosed {
    /// Number at the authority.
    pub receipt_no: String,
    /// When, at Seoul.
    pub at: DateTime,
    /// Its title.
    pub title: &'static str,
    /// Its address, if told.
    pub url: Option<String>,
}

/// Returns a few disclosures over `sessions`. Every title occurs where there are enough issues: each
/// begins its list at a place of its own, `index`.
pub(super) fn generate(
    symbol: &str,
    sessions: &[Date],
    character: Character,
    index: usize,
    dice: &mut Dice,
) -> Vec<Disclosed> {
    let count = dice.below(9);
    let mut disclosed: Vec<Disclosed> = (0..count)
        .map(|number| {
            // Most of them lately: of the last 90 days everything counts.
            let late = sessions.len().saturating_sub(60);
            let from = if dice.percent(60) { late } else { 0 };
            let day = sessions[from + dice.index(sessions.len() - from)];
            let minute = dice.between(7 * 60 + 30, 18 * 60 + 30);
            let (hour, minute) = (minute / 60, minute % 60);
            let at = day.at(
                i8::try_from(hour).expect("an hour"),
                i8::try_from(minute).expect("a minute"),
                0,
                0,
            );
            let (good, bad) = match character {
                Character::Strong | Character::Hyped => (60, 5),
                Character::Plain => (25, 20),
                Character::Weak => (5, 60),
            };
            let place = index + dice.index(3);
            let title = dice.weighted(&[
                (good, GOOD[place % GOOD.len()]),
                (bad, BAD[place % BAD.len()]),
                (5, MANAGEMENT[place % MANAGEMENT.len()]),
                (90 - good - bad, NEUTRAL[place % NEUTRAL.len()]),
            ]);
            let receipt_no = format!("{}{symbol}{number:02}", day.strftime("%Y%m%d"));
            let address = format!("https://dart.fss.or.kr/dsaf001/main.do?rcpNo={receipt_no}");
            Disclosed {
                at,
                title,
                url: (!dice.percent(10)).then_some(address),
                receipt_no,
            }
        })
        .collect();
    disclosed.sort_by(|one, other| (one.at, &one.receipt_no).cmp(&(other.at, &other.receipt_no)));
    disclosed
}
