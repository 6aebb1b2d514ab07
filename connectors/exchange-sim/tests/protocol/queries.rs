//! Account queries: keys in the broker's order, values, pages.

use serde_json::{Value, json};
use turnstile_exchange_sim::{Environment, FillConfig, SimConfig};

use crate::{
    client::{Client, quiet},
    samples::{keys_in_order, sample_keys},
};

const TRADING: &str = "/uapi/domestic-stock/v1/trading";

const ACCOUNT_SAMPLES: &str = include_str!("../../test_data/account-queries.json");

fn balance_query(cano: &str) -> Vec<(&str, &str)> {
    vec![
        ("CANO", cano),
        ("ACNT_PRDT_CD", "01"),
        ("AFHR_FLPR_YN", "N"),
        ("OFL_YN", ""),
        ("INQR_DVSN", "02"),
        ("UNPR_DVSN", "01"),
        ("FUND_STTL_ICLD_YN", "N"),
        ("FNCG_AMT_AUTO_RDPT_YN", "N"),
        ("PRCS_DVSN", "00"),
        ("CTX_AREA_FK100", ""),
        ("CTX_AREA_NK100", ""),
    ]
}

fn orders_query<'a>(cano: &'a str, today: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("CANO", cano),
        ("ACNT_PRDT_CD", "01"),
        ("INQR_STRT_DT", today),
        ("INQR_END_DT", today),
        ("SLL_BUY_DVSN_CD", "00"),
        ("PDNO", ""),
        ("ORD_GNO_BRNO", ""),
        ("ODNO", ""),
        ("CCLD_DVSN", "00"),
        ("INQR_DVSN", "00"),
        ("INQR_DVSN_1", ""),
        ("INQR_DVSN_3", "00"),
        ("EXCG_ID_DVSN_CD", "KRX"),
        ("CTX_AREA_FK100", ""),
        ("CTX_AREA_NK100", ""),
    ]
}

async fn today(client: &Client) -> String {
    client.look("/session").await["date"]
        .as_str()
        .unwrap()
        .replace('-', "")
}

/// Replays the trades behind the account samples: 10 held, 7 of 10 bought, 3 cancelled.
async fn sample_account() -> Client {
    let fills = FillConfig {
        chunk_max: 4,
        ..FillConfig::default()
    };
    let client = Client::start(SimConfig { fills, ..quiet() }).await;
    let mut session = client.notices("H0STCNI0").await;
    client.print("005930", 191_100).await;
    client
        .accepted("TTTC0012U", &[("ORD_UNPR", "191100"), ("ORD_QTY", "4")])
        .await;
    client
        .accepted(
            "TTTC0012U",
            &[("ORD_UNPR", "191200"), ("ORD_QTY", "3"), ("ORD_DVSN", "00")],
        )
        .await;
    for _ in 0..4 {
        session.notice().await;
    }
    client.print("005930", 191_200).await;
    client
}

#[tokio::test]
async fn balance_has_the_keys_and_sums_of_the_samples() {
    let client = sample_account().await;
    let path = format!("{TRADING}/inquire-balance");
    let reply = client
        .get(&path, "TTTC8434R", &balance_query("50123456"))
        .await;
    let expected = sample_keys(
        ACCOUNT_SAMPLES,
        "\"inquire_balance\"",
        "\"inquire_daily_ccld\"",
    );
    assert_eq!(keys_in_order(&reply.text), expected);
    assert_eq!(reply.tr_cont, "D");
    let sample: Value = serde_json::from_str(ACCOUNT_SAMPLES).unwrap();
    let sample = &sample["inquire_balance"]["body"];
    for key in [
        "ctx_area_fk100",
        "ctx_area_nk100",
        "rt_cd",
        "msg_cd",
        "msg1",
    ] {
        assert_eq!(reply.body[key], sample[key], "{key}");
    }
    // All seven were bought at 191100: 1,885,000 + 1,337,700 = 3,222,700 for 17 shares.
    let row = &reply.body["output1"][0];
    for (key, value) in [
        ("hldg_qty", "17"),
        ("ord_psbl_qty", "17"),
        ("thdt_buyqty", "7"),
        ("pchs_amt", "3222700"),
        ("pchs_avg_pric", "189570.5882"),
        ("prpr", "191200"),
        ("evlu_amt", "3250400"),
        ("evlu_pfls_amt", "27700"),
        ("evlu_pfls_rt", "0.86"),
        ("fltt_rt", "0.57864282"),
        ("bfdy_cprs_icdc", "1100"),
        ("sbst_pric", "152080"),
        ("prdt_name", "삼성전자"),
    ] {
        assert_eq!(row[key], value, "{key}");
    }
    let totals = &reply.body["output2"][0];
    for (key, value) in [
        ("dnca_tot_amt", "10000000"),
        ("thdt_buy_amt", "1337700"),
        ("thdt_tlex_amt", "187"),
        ("prvs_rcdl_excc_amt", "8662113"),
        ("scts_evlu_amt", "3250400"),
        ("nass_amt", "11912513"),
        ("asst_icdc_amt", "27513"),
    ] {
        assert_eq!(totals[key], value, "{key}");
    }
    client.sim.stop().await;
}

#[tokio::test]
async fn order_list_has_a_row_per_order_and_cancel() {
    let client = sample_account().await;
    let open = client
        .accepted("TTTC0012U", &[("ORD_UNPR", "180000")])
        .await;
    let body = json!({
        "CANO": "50123456", "ACNT_PRDT_CD": "01", "KRX_FWDG_ORD_ORGNO": "91252",
        "ORGN_ODNO": open, "ORD_DVSN": "00", "RVSE_CNCL_DVSN_CD": "02", "ORD_QTY": "3",
        "ORD_UNPR": "0", "QTY_ALL_ORD_YN": "N", "EXCG_ID_DVSN_CD": "KRX",
    });
    let path = format!("{TRADING}/order-rvsecncl");
    assert_eq!(
        client.post(&path, "TTTC0013U", &body).await.body["rt_cd"],
        "0"
    );
    let today = today(&client).await;
    let path = format!("{TRADING}/inquire-daily-ccld");
    let query = orders_query("50123456", &today);
    let rows = async {
        loop {
            let reply = client.get(&path, "TTTC0081R", &query).await;
            if reply.body["output1"][0]["cncl_cfrm_qty"] == "3" {
                return reply;
            }
        }
    };
    let reply = tokio::time::timeout(crate::client::PATIENCE, rows)
        .await
        .unwrap();
    let sample = sample_keys(
        ACCOUNT_SAMPLES,
        "\"inquire_daily_ccld\"",
        "\"inquire_psbl_order\"",
    );
    let row_keys = 36;
    let written = keys_in_order(&reply.text);
    // The sample has two rows, this answer four.
    assert_eq!(written[..3 + 2 * row_keys], sample[..3 + 2 * row_keys]);
    assert_eq!(written[3 + 4 * row_keys..], sample[3 + 2 * row_keys..]);
    let rows = reply.body["output1"].as_array().unwrap();
    let values = |row: &Value| {
        [
            "odno",
            "orgn_odno",
            "ord_dvsn_name",
            "sll_buy_dvsn_cd_name",
            "ord_qty",
            "tot_ccld_qty",
            "cncl_yn",
            "cncl_cfrm_qty",
            "rmn_qty",
        ]
        .map(|key| row[key].as_str().unwrap().to_owned())
    };
    assert_eq!(
        values(&rows[0]),
        [
            "0000100004",
            "0000100003",
            "취소",
            "매수취소*",
            "3",
            "0",
            "Y",
            "3",
            "0"
        ]
    );
    assert_eq!(
        values(&rows[1]),
        [
            "0000100003",
            "",
            "지정가",
            "현금매수",
            "10",
            "0",
            "N",
            "3",
            "7"
        ]
    );
    assert_eq!(
        values(&rows[2]),
        [
            "0000100002",
            "",
            "지정가",
            "현금매수",
            "3",
            "3",
            "N",
            "0",
            "0"
        ]
    );
    assert_eq!(reply.body["output2"]["tot_ccld_qty"], "7");
    assert_eq!(reply.body["output2"]["pchs_avg_pric"], "191100.0000");

    let path = format!("{TRADING}/inquire-psbl-rvsecncl");
    let query = [
        ("CANO", "50123456"),
        ("ACNT_PRDT_CD", "01"),
        ("INQR_DVSN_1", "0"),
        ("INQR_DVSN_2", "0"),
        ("CTX_AREA_FK100", ""),
        ("CTX_AREA_NK100", ""),
    ];
    let reply = client.get(&path, "TTTC0084R", &query).await;
    assert_eq!(reply.body["output"].as_array().unwrap().len(), 1);
    assert_eq!(reply.body["output"][0]["psbl_qty"], "7");
    client.sim.stop().await;
}

#[tokio::test]
async fn order_pages_join_without_gap_or_repeat() {
    for (environment, tr_ids, size) in [
        (Environment::Production, ["TTTC0012U", "TTTC0081R"], 100),
        (Environment::Paper, ["VTTC0012U", "VTTC0081R"], 15),
    ] {
        let client = Client::start(SimConfig {
            environment,
            ..quiet()
        })
        .await;
        for _ in 0..2 * size + 1 {
            client
                .accepted(
                    tr_ids[0],
                    &[("PDNO", "229200"), ("ORD_UNPR", "13650"), ("ORD_QTY", "1")],
                )
                .await;
        }
        let (path, today) = (
            format!("{TRADING}/inquire-daily-ccld"),
            today(&client).await,
        );
        let (mut keys, mut seen, mut tr_cont) = ((String::new(), String::new()), Vec::new(), "");
        let mut headers = Vec::new();
        loop {
            let mut query = orders_query("50123456", &today);
            query.truncate(query.len() - 2);
            query.extend([
                ("CTX_AREA_FK100", keys.0.as_str()),
                ("CTX_AREA_NK100", keys.1.as_str()),
            ]);
            let reply = client.get_page(&path, tr_ids[1], &query, tr_cont).await;
            let rows = reply.body["output1"].as_array().unwrap();
            assert!(rows.len() <= size);
            seen.extend(
                rows.iter()
                    .map(|row| row["odno"].as_str().unwrap().to_owned()),
            );
            headers.push(reply.tr_cont.clone());
            if !matches!(reply.tr_cont.as_str(), "F" | "M") {
                break;
            }
            let area = |key: &str| reply.body[key].as_str().unwrap().to_owned();
            keys = (area("ctx_area_fk100"), area("ctx_area_nk100"));
            assert_eq!((keys.0.len(), keys.1.len()), (100, 100));
            tr_cont = "N";
        }
        assert_eq!(headers, ["F", "M", "E"]);
        let newest_first: Vec<_> = (0..=2 * size)
            .rev()
            .map(|at| format!("{:010}", 100_001 + at))
            .collect();
        assert_eq!(seen, newest_first);

        let mut query = orders_query("50123456", &today);
        query.truncate(query.len() - 2);
        query.extend([
            ("CTX_AREA_FK100", keys.0.trim_end()),
            ("CTX_AREA_NK100", keys.1.trim_end()),
        ]);
        let reply = client.get_page(&path, tr_ids[1], &query, "N").await;
        assert_eq!(reply.body["msg_cd"], "OPSQ2002");
        client.sim.stop().await;
    }
}

#[tokio::test]
async fn buying_power_reaches_as_far_as_an_order() {
    let client = Client::start(quiet()).await;
    let path = format!("{TRADING}/inquire-psbl-order");
    let query = [
        ("CANO", "50123456"),
        ("ACNT_PRDT_CD", "01"),
        ("PDNO", "005930"),
        ("ORD_UNPR", "191200"),
        ("ORD_DVSN", "01"),
        ("CMA_EVLU_AMT_ICLD_YN", "N"),
        ("OVRS_ICLD_YN", "N"),
    ];
    let reply = client.get(&path, "TTTC8908R", &query).await;
    let start = ACCOUNT_SAMPLES.find("\"inquire_psbl_order\"").unwrap();
    assert_eq!(
        keys_in_order(&reply.text),
        keys_in_order(&ACCOUNT_SAMPLES[start..])[2..]
    );
    let quantity: i64 = reply.body["output"]["nrcvb_buy_qty"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(quantity, 52);
    let order = |quantity: i64| {
        let quantity = quantity.to_string();
        let client = &client;
        async move {
            let changes = [("ORD_UNPR", "191200"), ("ORD_QTY", quantity.as_str())];
            client.order("TTTC0012U", &changes).await.body["msg_cd"].clone()
        }
    };
    assert_eq!(order(quantity + 1).await, "APBK0919");
    assert_eq!(order(quantity).await, "APBK0013");

    let path = format!("{TRADING}/inquire-psbl-sell");
    let query = [
        ("CANO", "50123456"),
        ("ACNT_PRDT_CD", "01"),
        ("PDNO", "005930"),
    ];
    let reply = client.get(&path, "TTTC8408R", &query).await;
    assert_eq!(reply.body["output"]["ord_psbl_qty"], "10");
    client.sim.stop().await;
}
