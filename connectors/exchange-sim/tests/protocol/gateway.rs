//! Keys, tokens and call limits.

use serde_json::{Value, json};
use turnstile_exchange_sim::{LimitsConfig, SimConfig};

use crate::client::{Client, quiet};

const QUOTE_SAMPLES: &str = include_str!("../../test_data/auth-and-quotes.json");
const QUOTES: &str = "/uapi/domestic-stock/v1/quotations";

#[tokio::test]
async fn keys_and_tokens_are_checked() {
    let limits = LimitsConfig {
        rest_per_second: None,
        ..LimitsConfig::default()
    };
    let mut client = Client::start(SimConfig { limits, ..quiet() }).await;
    let body = json!({
        "grant_type": "client_credentials",
        "appkey": client.account.app_key,
        "appsecret": client.account.app_secret,
    });
    let reply = client.post("/oauth2/tokenP", "", &body).await;
    let samples: Value = serde_json::from_str(QUOTE_SAMPLES).unwrap();
    assert_eq!(reply.status, 403);
    assert_eq!(reply.body, samples["tokenP_too_often"]["body"]);

    let valid = std::mem::replace(&mut client.token, "wrong".to_owned());
    let reply = client.order("TTTC0012U", &[]).await;
    assert_eq!(
        (reply.status, &reply.body["msg_cd"]),
        (500, &json!("EGW00121"))
    );
    client.token = valid.clone();
    let secret = std::mem::replace(&mut client.account.app_secret, "wrong".to_owned());
    assert_eq!(
        client.order("TTTC0012U", &[]).await.body["msg_cd"],
        "EGW00105"
    );
    client.account.app_secret = secret;
    assert_eq!(
        client.order("TTTC0099U", &[]).await.body["msg_cd"],
        "EGW00101"
    );
    client
        .control("/faults", &json!({ "expire_tokens": true }))
        .await;
    let orders: Value =
        serde_json::from_str(include_str!("../../test_data/order-cash.json")).unwrap();
    let reply = client.order("TTTC0012U", &[]).await;
    assert_eq!(
        (reply.status, &reply.body),
        (500, &orders["responses"][5]["body"])
    );
    let body = json!({
        "appkey": client.account.app_key, "appsecret": client.account.app_secret, "token": valid,
    });
    let reply = client.post("/oauth2/revokeP", "", &body).await;
    assert_eq!(reply.body, samples["revokeP"]["body"]);
    client.sim.stop().await;
}

#[tokio::test]
async fn calls_beyond_eighteen_a_second_are_throttled() {
    let limits = LimitsConfig {
        rest_per_second: None,
        token_per_minute: 0,
        registrations: 41,
    };
    let client = Client::start(SimConfig { limits, ..quiet() }).await;
    let query = [
        ("FID_COND_MRKT_DIV_CODE", "J"),
        ("FID_INPUT_ISCD", "005930"),
    ];
    let path = format!("{QUOTES}/inquire-price");
    let calls = (0..200).map(|_| client.get(&path, "FHKST01010100", &query));
    let replies = futures_util::future::join_all(calls).await;
    let refused: Vec<_> = replies.iter().filter(|reply| reply.status == 500).collect();
    assert!(!refused.is_empty());
    let orders: Value =
        serde_json::from_str(include_str!("../../test_data/order-cash.json")).unwrap();
    for reply in &refused {
        assert_eq!(reply.body, orders["responses"][4]["body"]);
    }
    client.sim.stop().await;
}
