//! The figures of a company.

use rust_decimal::Decimal;
use serde_json::{Value, json};
use turnstile_dataflows::model::Symbol;

use super::server::{Reply, Rest, fixture, token_or};
use crate::kis::{CompanyFigures, Lane};

fn samsung() -> Symbol {
    "005930".parse().unwrap()
}

async fn told(output: Value) -> Option<CompanyFigures> {
    let body = json!({"rt_cd": "0", "msg_cd": "MCA00000", "msg1": "", "output": output});
    let rest = Rest::start(move |seen, _| {
        token_or(seen, || {
            assert_eq!(seen.headers["tr_id"], "FHKST01010100");
            assert_eq!(seen.query["FID_INPUT_ISCD"], "005930");
            Reply::Json(200, body.clone())
        })
    })
    .await;
    let fixture = fixture(&rest, |config| config.retry.queries_max = 0);
    let told = fixture.client.figures(samsung(), Lane::Tier2).await;
    told.unwrap()
}

#[tokio::test]
async fn a_whole_answer_is_read() {
    let figures = told(json!({
        "stck_shrn_iscd": "005930", "bstp_kor_isnm": "전기·전자 ", "per": "38.63", "pbr": "-1.26",
        "eps": "4950.00", "bps": "151000", "invt_caful_yn": "N", "mrkt_warn_cls_code": "00",
    }))
    .await;
    assert_eq!(
        figures,
        Some(CompanyFigures {
            symbol: samsung(),
            per: Some(Decimal::new(3863, 2)),
            pbr: Some(Decimal::new(-126, 2)),
            eps: Some(Decimal::new(4950, 0)),
            bps: Some(Decimal::new(151_000, 0)),
            sector: Some("전기·전자".to_owned()),
            is_caution: Some(false),
        })
    );
}

#[tokio::test]
async fn zero_blank_and_absent_are_not_told() {
    let figures = told(json!({"per": "0.00", "pbr": " ", "mrkt_warn_cls_code": "00"})).await;
    let figures = figures.unwrap();
    assert_eq!((figures.per, figures.pbr, figures.eps), (None, None, None));
    assert_eq!((figures.sector, figures.is_caution), (None, None));
}

#[tokio::test]
async fn any_sign_of_a_caution_is_one() {
    for (flag, code, expected) in [
        ("Y", "00", Some(true)),
        ("N", "02", Some(true)),
        ("", "03", Some(true)),
        ("N", "07", None),
        ("", "00", None),
    ] {
        let answer = json!({"invt_caful_yn": flag, "mrkt_warn_cls_code": code});
        assert_eq!(
            told(answer).await.unwrap().is_caution,
            expected,
            "{flag} {code}"
        );
    }
}

#[tokio::test]
async fn what_cannot_be_figures_is_left_out_whole() {
    for answer in [
        json!({"per": "many", "pbr": "1.2"}),
        json!({"per": "1", "eps": "1000000000"}),
        json!({"per": "1", "stck_shrn_iscd": "000660"}),
    ] {
        assert_eq!(told(answer.clone()).await, None, "{answer}");
    }
}
