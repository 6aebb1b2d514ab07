//! Queries: lists in pages, prices, bars, calendar; retries.

use jiff::civil::{Date, date};
use serde_json::{Value, json};
use turnstile_dataflows::model::{Price, Quantity, Symbol};

use super::server::{NOW_US, Reply, Rest, fixture, sample, token_or};
use crate::kis::{DailyOrdersFilter, Lane, OrderPrice, PriceAdjustment, Side};

fn samsung() -> Symbol {
    "005930".parse().unwrap()
}

fn shares(shares: i64) -> Quantity {
    Quantity::new(shares).unwrap()
}

fn today() -> DailyOrdersFilter {
    DailyOrdersFilter {
        from: date(2026, 11, 16),
        until: date(2026, 11, 16),
        symbol: None,
        side: None,
    }
}

/// A server that answers every query with `body`.
async fn answering(body: Value) -> Rest {
    Rest::start(move |seen, _| token_or(seen, || Reply::Json(200, body.clone()))).await
}

#[tokio::test]
async fn the_sample_of_daily_orders_is_read() {
    let Some(sample) = sample("account-queries.json") else {
        return;
    };
    let rest = answering(sample["inquire_daily_ccld"]["body"].clone()).await;
    let fixture = fixture(&rest, |_| {});
    let list = fixture.client.daily_orders(&today()).await.unwrap();
    assert!(list.complete);
    let [order, cancel] = list.orders.as_slice() else {
        panic!("{list:?}");
    };
    assert_eq!(order.order.number.as_str(), "0000117057");
    assert_eq!(order.order.branch, "91252");
    assert_eq!(order.original, None);
    assert_eq!((order.side, order.symbol), (Side::Buy, samsung()));
    assert_eq!(order.price, Some(Price::from_won(191_200).unwrap()));
    let counts = [
        order.quantity,
        order.filled,
        order.cancelled,
        order.remaining,
        order.rejected,
    ];
    assert_eq!(counts, [10, 7, 3, 0, 0].map(shares));
    assert_eq!(order.average_price, "191142.8571".parse().unwrap());
    assert_eq!((order.filled_won, order.is_cancel), (1_338_000, false));
    assert_eq!(order.order_type, "00");
    assert_eq!(order.time, Some(jiff::civil::Time::constant(9, 34, 2, 0)));
    assert_eq!(
        (cancel.original.as_ref(), cancel.is_cancel),
        (Some(&order.order.number), true)
    );
    let query = &rest.seen("/inquire-daily-ccld")[0].query;
    for (key, value) in [
        ("CANO", "50123456"),
        ("INQR_STRT_DT", "20261116"),
        ("INQR_END_DT", "20261116"),
        ("SLL_BUY_DVSN_CD", "00"),
        ("CCLD_DVSN", "00"),
        ("PDNO", ""),
        ("EXCG_ID_DVSN_CD", "KRX"),
        ("CTX_AREA_FK100", ""),
    ] {
        assert_eq!(query[key], value, "{key}");
    }
}

#[tokio::test]
async fn the_samples_of_balance_and_buying_power_are_read() {
    let Some(sample) = sample("account-queries.json") else {
        return;
    };
    let rest = answering(sample["inquire_balance"]["body"].clone()).await;
    let account = fixture(&rest, |_| {});
    let balance = account.client.balance().await.unwrap();
    assert!(balance.complete);
    let [held] = balance.holdings.as_slice() else {
        panic!("{balance:?}");
    };
    assert_eq!(
        (held.symbol, held.quantity, held.sellable),
        (samsung(), shares(17), shares(17))
    );
    assert_eq!(held.average_price, "189588.2353".parse().unwrap());
    assert_eq!(
        (held.purchase_won, held.valuation_won, held.profit_won),
        (3_223_000, 3_250_400, 27_400)
    );
    assert_eq!((held.bought_today, held.sold_today), (shares(7), shares(0)));
    let summary = balance.summary.unwrap();
    assert_eq!(
        (summary.deposit_won, summary.deposit_d2_won),
        (10_000_000, 8_661_812)
    );
    assert_eq!(
        (summary.total_won, summary.profit_won),
        (11_912_212, 27_400)
    );
    assert_eq!(
        rest.seen("/inquire-balance")[0].headers["tr_id"],
        "VTTC8434R"
    );

    let rest = answering(sample["inquire_psbl_order"]["body"].clone()).await;
    let fixture = fixture(&rest, |_| {});
    let power = fixture
        .client
        .buying_power(samsung(), OrderPrice::Market)
        .await
        .unwrap();
    assert_eq!(
        (power.quantity, power.amount_won, power.cash_won),
        (shares(45), 8_660_597, 8_661_812)
    );
}

#[tokio::test]
async fn the_samples_of_price_bars_and_calendar_are_read() {
    let Some(sample) = sample("auth-and-quotes.json") else {
        return;
    };
    let rest = answering(sample["inquire_price"]["body"].clone()).await;
    let quotes = fixture(&rest, |_| {});
    let price = quotes.client.price(samsung(), Lane::Tier0).await.unwrap();
    let won = |won| Some(Price::from_won(won).unwrap());
    assert_eq!(
        (Some(price.last), price.reference),
        (won(191_200), won(190_100))
    );
    assert_eq!(
        (price.upper_limit, price.lower_limit),
        (won(247_000), won(133_100))
    );
    assert_eq!(
        (price.open, price.high, price.low),
        (won(190_500), won(191_800), won(189_900))
    );
    assert_eq!(
        (price.tick, price.halted, price.volatility_interruption),
        (won(100), false, false)
    );
    assert_eq!(
        (price.change_units, price.change_rate_units),
        (11_000_000, 5_800)
    );
    assert_eq!(
        (price.cumulative_volume, price.received_us),
        (shares(4_812_484), NOW_US)
    );
    assert_eq!(
        (price.status_code.as_str(), price.warning_code.as_str()),
        ("55", "00")
    );

    let rest = answering(sample["inquire_daily_itemchartprice_D"]["body"].clone()).await;
    let charts = fixture(&rest, |_| {});
    let (from, until) = (date(2026, 11, 1), date(2026, 11, 16));
    let list = charts
        .client
        .daily_bars(
            samsung(),
            from,
            until,
            PriceAdjustment::Adjusted,
            Lane::Tier2,
        )
        .await
        .unwrap();
    assert!(list.complete);
    let days: Vec<Date> = list.bars.iter().map(|bar| bar.date).collect();
    assert_eq!(
        days,
        [date(2026, 11, 12), date(2026, 11, 13), date(2026, 11, 16)]
    );
    let bar = &list.bars[0];
    assert_eq!(
        [
            Some(bar.open),
            Some(bar.high),
            Some(bar.low),
            Some(bar.close)
        ],
        [won(189_500), won(190_600), won(189_100), won(190_000)]
    );
    assert_eq!(
        (bar.volume, bar.value_won),
        (shares(19_877_012), 3_773_650_728_200)
    );
    assert_eq!(rest.seen("/inquire-daily-itemchartprice").len(), 1);

    let body = sample["chk_holiday"]["body"].clone();
    let rest = Rest::start(move |seen, _| token_or(seen, || Reply::More(body.clone()))).await;
    let fixture = fixture(&rest, |_| {});
    let (from, until) = (date(2026, 11, 16), date(2026, 11, 21));
    let calendar = fixture.client.calendar(from, until).await.unwrap();
    assert!(calendar.complete);
    let open: Vec<bool> = calendar.days.iter().map(|day| day.is_open).collect();
    assert_eq!(open, [true, true, true, true, true, false]);
    assert_eq!(rest.seen("/chk-holiday").len(), 1);
    // Further than the broker goes: it repeats its page key, and the list says that it ends early.
    let calendar = fixture
        .client
        .calendar(from, date(2026, 12, 31))
        .await
        .unwrap();
    assert!(!calendar.complete);
}

fn daily_row(number: usize, filled: &str) -> Value {
    json!({"ord_dt": "20261116", "ord_gno_brno": "91252", "odno": format!("{number:010}"),
        "orgn_odno": "", "sll_buy_dvsn_cd": "01", "pdno": "005930", "ord_qty": "10",
        "ord_unpr": "191200", "ord_tmd": "093402", "tot_ccld_qty": filled, "avg_prvs": "0"})
}

/// Page `page` of three, with a padded key that must come back verbatim.
fn page(page: usize, damaged: bool) -> Value {
    let rows: Vec<Value> = (0..2)
        .map(|row| {
            daily_row(
                1 + page * 2 + row,
                if damaged && row == 0 { "?" } else { "3" },
            )
        })
        .collect();
    json!({"rt_cd": "0", "msg_cd": "KIOK0500", "output1": rows, "output2": {},
        "ctx_area_fk100": format!("50123456^01^{page}^   "),
        "ctx_area_nk100": format!("next+{page}&  ")})
}

#[tokio::test]
async fn every_page_is_read_with_its_key_verbatim() {
    let rest = Rest::start(|seen, before| {
        token_or(seen, || match before {
            2 => Reply::Json(200, page(2, false)),
            number => Reply::More(page(number, false)),
        })
    })
    .await;
    let fixture = fixture(&rest, |_| {});
    let list = fixture.client.daily_orders(&today()).await.unwrap();
    assert!(list.complete);
    let numbers: Vec<&str> = list
        .orders
        .iter()
        .map(|it| it.order.number.as_str())
        .collect();
    let expected: Vec<String> = (1..=6).map(|number| format!("{number:010}")).collect();
    assert_eq!(numbers, expected);
    let seen = rest.seen("/inquire-daily-ccld");
    assert_eq!(
        seen[0]
            .headers
            .get("tr_cont")
            .map(String::as_str)
            .unwrap_or_default(),
        ""
    );
    assert_eq!(seen[1].headers["tr_cont"], "N");
    assert_eq!(seen[1].query["CTX_AREA_FK100"], "50123456^01^0^   ");
    assert_eq!(seen[2].query["CTX_AREA_NK100"], "next+1&  ");
}

#[tokio::test]
async fn a_list_that_breaks_off_says_so() {
    // The second page fails for good, or repeats the key of the first, or has a row nobody can read.
    for fault in 0..3 {
        let rest = Rest::start(move |seen, before| {
            token_or(seen, || match (before, fault) {
                (0, _) => Reply::More(page(0, false)),
                (_, 0) => Reply::Raw(502, "no"),
                (_, 1) => Reply::More(page(0, false)),
                _ => Reply::Json(200, page(1, true)),
            })
        })
        .await;
        let fixture = fixture(&rest, |_| {});
        let list = fixture.client.daily_orders(&today()).await.unwrap();
        assert!(!list.complete, "fault {fault}");
        assert_eq!(
            list.orders.len(),
            if fault == 2 { 3 } else { 2 },
            "fault {fault}"
        );
    }
}

#[tokio::test]
async fn sold_out_holdings_are_left_out() {
    let row = |symbol: &str, held: &str| {
        json!({"pdno": symbol, "hldg_qty": held, "ord_psbl_qty": held,
            "pchs_avg_pric": "1.0000", "pchs_amt": "1", "prpr": "0"})
    };
    let rest = answering(json!({"rt_cd": "0",
        "output1": [row("005930", "0"), row("000660", "2"), {}], "output2": []}))
    .await;
    let fixture = fixture(&rest, |_| {});
    let balance = fixture.client.balance().await.unwrap();
    assert_eq!(balance.holdings.len(), 1);
    assert_eq!(balance.holdings[0].symbol, "000660".parse().unwrap());
    assert!(balance.complete && balance.summary.is_none());
}

#[tokio::test]
async fn a_query_is_repeated_while_that_may_help_and_not_longer() {
    let refused = |code: &str| json!({"rt_cd": "1", "msg_cd": code, "msg1": ""});
    for (code, sent) in [
        ("EGW00201", 4),
        ("EGW00302", 4),
        ("OPSQ0001", 1),
        ("EGW00103", 1),
    ] {
        let rest = answering(refused(code)).await;
        let fixture = fixture(&rest, |_| {});
        let error = fixture
            .client
            .price(samsung(), Lane::Tier0)
            .await
            .unwrap_err();
        assert_eq!(rest.seen("/inquire-price").len(), sent, "{error}");
        assert_eq!(error.is_transient(), sent > 1, "{error}");
    }
}

#[tokio::test]
async fn bars_are_paged_by_moving_the_end() {
    let rest = Rest::start(|seen, _| {
        token_or(seen, || {
            let end: Date = Date::strptime("%Y%m%d", &seen.query["FID_INPUT_DATE_2"]).unwrap();
            let from: Date = Date::strptime("%Y%m%d", &seen.query["FID_INPUT_DATE_1"]).unwrap();
            let rows: Vec<Value> = std::iter::successors(Some(end), |day| day.yesterday().ok())
                .take_while(|day| *day >= from)
                .take(100)
                .map(|day| {
                    json!({"stck_bsop_date": day.strftime("%Y%m%d").to_string(), "stck_clpr": "10",
                        "stck_oprc": "10", "stck_hgpr": "10", "stck_lwpr": "10", "acml_vol": "1",
                        "acml_tr_pbmn": "10"})
                })
                .collect();
            Reply::Json(200, json!({"rt_cd": "0", "output2": rows}))
        })
    })
    .await;
    let fixture = fixture(&rest, |_| {});
    let (from, until) = (date(2026, 1, 1), date(2026, 11, 16));
    let list = fixture
        .client
        .daily_bars(samsung(), from, until, PriceAdjustment::Raw, Lane::Tier2)
        .await
        .unwrap();
    assert!(list.complete);
    assert_eq!(list.bars.len(), 320);
    assert_eq!((list.bars[0].date, list.bars[319].date), (from, until));
    assert_eq!(rest.seen("/inquire-daily-itemchartprice").len(), 4);
}
