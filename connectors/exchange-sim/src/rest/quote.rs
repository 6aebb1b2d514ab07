//! Current price (KIS Open API, inquire-price): all 82 names of the broker's list.

use rust_decimal::Decimal;

use super::{
    answer::{Answer, Object, Value, text},
    call::Call,
};
use crate::{broker::Reject, config::Market, issue::Issue, price::Price, shared::Shared};

/// Names in the broker's order, each with the value that it has where nothing is simulated.
const NAMES: [(&str, &str); 82] = [
    ("iscd_stat_cls_code", "55"),
    ("marg_rate", "20.00"),
    ("rprs_mrkt_kor_name", "KOSPI200"),
    ("new_hgpr_lwpr_cls_code", ""),
    ("bstp_kor_isnm", "전기·전자"),
    ("temp_stop_yn", "N"),
    ("oprc_rang_cont_yn", "N"),
    ("clpr_rang_cont_yn", "N"),
    ("crdt_able_yn", "Y"),
    ("grmn_rate_cls_code", "40"),
    ("elw_pblc_yn", "Y"),
    ("stck_prpr", "191200"),
    ("prdy_vrss", "1100"),
    ("prdy_vrss_sign", "2"),
    ("prdy_ctrt", "0.58"),
    ("acml_tr_pbmn", "918438368800"),
    ("acml_vol", "4812484"),
    ("prdy_vrss_vol_rate", "19.87"),
    ("stck_oprc", "190500"),
    ("stck_hgpr", "191800"),
    ("stck_lwpr", "189900"),
    ("stck_mxpr", "247000"),
    ("stck_llam", "133100"),
    ("stck_sdpr", "190100"),
    ("wghn_avrg_stck_prc", "190844.97"),
    ("hts_frgn_ehrt", "0"),
    ("frgn_ntby_qty", "0"),
    ("pgtr_ntby_qty", "0"),
    ("pvt_scnd_dmrs_prc", "0"),
    ("pvt_frst_dmrs_prc", "0"),
    ("pvt_pont_val", "0"),
    ("pvt_frst_dmsp_prc", "0"),
    ("pvt_scnd_dmsp_prc", "0"),
    ("dmrs_val", "0"),
    ("dmsp_val", "0"),
    ("cpfn", "0"),
    ("rstc_wdth_prc", "0"),
    ("stck_fcam", "100"),
    ("stck_sspr", "0"),
    ("aspr_unit", "100"),
    ("hts_deal_qty_unit_val", "1"),
    ("lstn_stcn", "0"),
    ("hts_avls", "0"),
    ("per", "0"),
    ("pbr", "0"),
    ("stac_month", "12"),
    ("vol_tnrt", "0"),
    ("eps", "0"),
    ("bps", "0"),
    ("d250_hgpr", "0"),
    ("d250_hgpr_date", "20260102"),
    ("d250_hgpr_vrss_prpr_rate", "0"),
    ("d250_lwpr", "0"),
    ("d250_lwpr_date", "20260102"),
    ("d250_lwpr_vrss_prpr_rate", "0"),
    ("stck_dryy_hgpr", "0"),
    ("dryy_hgpr_vrss_prpr_rate", "0"),
    ("dryy_hgpr_date", "20260102"),
    ("stck_dryy_lwpr", "0"),
    ("dryy_lwpr_vrss_prpr_rate", "0"),
    ("dryy_lwpr_date", "20260102"),
    ("w52_hgpr", "0"),
    ("w52_hgpr_vrss_prpr_ctrt", "0"),
    ("w52_hgpr_date", "20260102"),
    ("w52_lwpr", "0"),
    ("w52_lwpr_vrss_prpr_ctrt", "0"),
    ("w52_lwpr_date", "20260102"),
    ("whol_loan_rmnd_rate", "0"),
    ("ssts_yn", "Y"),
    ("stck_shrn_iscd", "005930"),
    ("fcam_cnnm", "100"),
    ("cpfn_cnnm", "7,780 억"),
    ("apprch_rate", "0"),
    ("frgn_hldn_qty", "0"),
    ("vi_cls_code", "N"),
    ("ovtm_vi_cls_code", "N"),
    ("last_ssts_cntg_qty", "0"),
    ("invt_caful_yn", "N"),
    ("mrkt_warn_cls_code", "00"),
    ("short_over_yn", "N"),
    ("sltr_yn", "N"),
    ("mang_issu_cls_code", "N"),
];

pub(super) fn price(shared: &Shared, call: &Call, _account: usize) -> Answer {
    if !matches!(call.param("FID_COND_MRKT_DIV_CODE"), "J" | "UN") {
        return Answer::refusal("OPSQ2001", "ERROR : INPUT FIELD [FID_COND_MRKT_DIV_CODE]");
    }
    let exchange = shared.exchange();
    match exchange.find(call.param("FID_INPUT_ISCD")) {
        Some(index) => {
            let mut fields = Object::default();
            fields.push("output", Value::Object(output(&exchange.issues[index])));
            Answer::success(fields, "MCA00000", "정상처리 되었습니다.")
        }
        None => Answer::refusal(&Reject::Symbol.code(), &Reject::Symbol.text()),
    }
}

fn output(issue: &Issue) -> Object {
    let (day, last, grid) = (&issue.day, issue.last(), issue.grid());
    let mut output = Object::default();
    for (name, value) in NAMES {
        output.push(name, value);
    }
    let market = match issue.market {
        Market::Kospi => "KOSPI200",
        Market::Kosdaq => "KOSDAQ",
        Market::Etf => "ETF",
        Market::Foreign => "",
    };
    let stopped = if issue.is_stopped() { "Y" } else { "N" };
    let shares = i128::from(issue.listed_shares);
    let value_100m = last.times(1).units() * shares / 10_000 / 100_000_000;
    for (name, value) in [
        (
            "iscd_stat_cls_code",
            if issue.is_stopped() { "58" } else { "55" }.into(),
        ),
        ("rprs_mrkt_kor_name", market.into()),
        ("bstp_kor_isnm", text(&issue.company.sector)),
        ("temp_stop_yn", stopped.into()),
        ("stck_prpr", text(last)),
        ("prdy_vrss", text(issue.change(last))),
        ("prdy_vrss_sign", issue.sign(last).into()),
        ("prdy_ctrt", text(issue.change_pct(last))),
        ("acml_tr_pbmn", text(day.value)),
        ("acml_vol", text(day.volume)),
        (
            "prdy_vrss_vol_rate",
            text(issue.volume_pct(issue.prev_volume)),
        ),
        ("stck_oprc", text(day.open)),
        ("stck_hgpr", text(day.high)),
        ("stck_lwpr", text(day.low)),
        ("stck_mxpr", text(issue.band.1)),
        ("stck_llam", text(issue.band.0)),
        ("stck_sdpr", text(issue.prev_close)),
        ("wghn_avrg_stck_prc", text(issue.average())),
        ("aspr_unit", text(grid.tick(last))),
        ("lstn_stcn", text(issue.listed_shares)),
        ("hts_avls", text(value_100m)),
        ("per", times(last, issue.company.eps)),
        ("pbr", times(last, issue.company.bps)),
        ("eps", text(issue.company.eps.round_dp(2))),
        ("bps", text(issue.company.bps.round_dp(2))),
        ("vol_tnrt", text(issue.volume_pct(issue.listed_shares))),
        ("stck_shrn_iscd", text(&issue.symbol)),
        ("cpfn_cnnm", "".into()),
    ] {
        output.set(name, value);
    }
    output
}

/// Returns how many times an amount a price is, with 2 decimals; 0 where the amount is not told.
fn times(price: Price, amount: Decimal) -> Value {
    let times = Decimal::from(price).checked_div(amount);
    text(times.unwrap_or_default().round_dp(2))
}
