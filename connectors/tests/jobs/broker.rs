//! A broker that answers three queries as a test says.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use secrecy::SecretString;
use serde_json::{Value, json};
use tempfile::TempDir;
use turnstile_connectors::execution::wall_clock_us;
use turnstile_connectors::kis::{Environment, KisClient, KisConfig};
use turnstile_connectors::task;

/// What it says, and what it was asked.
#[derive(Clone, Default)]
pub(crate) struct Broker {
    state: Arc<Mutex<Script>>,
}

#[derive(Default)]
struct Script {
    /// Rows of the calendar.
    days: Vec<Value>,
    /// What is said of each stock; of others the call is refused.
    stocks: BTreeMap<String, Value>,
    /// Code with which every query is refused by the gateway.
    refusal: Option<&'static str>,
    asked: Vec<String>,
}

type Query2 = Query<BTreeMap<String, String>>;
type Answer = (StatusCode, Json<Value>);

impl Broker {
    /// Starts it and returns a client of it.
    pub(crate) async fn start(&self) -> (KisClient, TempDir) {
        let quotations = "/uapi/domestic-stock/v1/quotations";
        let router = Router::new()
            .route("/oauth2/tokenP", post(token))
            .route(&format!("{quotations}/chk-holiday"), get(holidays))
            .route(&format!("{quotations}/search-stock-info"), get(stock_info))
            .route(&format!("{quotations}/inquire-price"), get(price))
            .with_state(self.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(task::spawn("scripted broker", async move {
            axum::serve(listener, router).await
        }));
        let folder = tempfile::tempdir().unwrap();
        let mut config = KisConfig {
            environment: Some(Environment::Paper),
            rest_url: Some(format!("http://{address}")),
            ws_url: Some(format!("ws://{address}")),
            app_key: SecretString::from("PSsimulated0000000000000000000000001"),
            app_secret: SecretString::from("s".repeat(180)),
            account: SecretString::from("50123456-01"),
            hts_id: "demo0001".to_owned(),
            token_cache: folder.path().join("token.json"),
            ..KisConfig::default()
        };
        config.rate.per_second = Some(0);
        config.retry.queries_max = 0;
        let settings = config.validate().unwrap();
        let client = KisClient::new(settings, Arc::new(wall_clock_us)).unwrap();
        (client, folder)
    }

    /// Answers with these days: date, whether the exchange is open.
    pub(crate) fn days(&self, days: impl IntoIterator<Item = (String, bool)>) {
        let row = |(date, is_open): (String, bool)| {
            let flag = if is_open { "Y" } else { "N" };
            json!({"bass_dt": date.replace('-', ""), "bzdy_yn": flag, "tr_day_yn": flag,
                "opnd_yn": flag, "sttl_day_yn": flag})
        };
        self.state.lock().unwrap().days = days.into_iter().map(row).collect();
    }

    /// Answers this of a stock.
    pub(crate) fn stock(&self, symbol: &str, output: Value) {
        let mut state = self.state.lock().unwrap();
        state.stocks.insert(symbol.to_owned(), output);
    }

    /// Refuses everything with a code of the gateway, or nothing any more.
    pub(crate) fn refuse(&self, code: Option<&'static str>) {
        self.state.lock().unwrap().refusal = code;
    }

    /// Returns what was asked since the last call: `calendar`, or a symbol.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().asked)
    }

    /// Notes a question; the answer that refuses it, if everything is refused.
    fn ask(&self, what: &str) -> Option<Answer> {
        let mut state = self.state.lock().unwrap();
        state.asked.push(what.to_owned());
        let code = state.refusal?;
        let body = json!({"rt_cd": "1", "msg_cd": code, "msg1": "refused"});
        Some((StatusCode::INTERNAL_SERVER_ERROR, Json(body)))
    }
}

async fn token() -> Json<Value> {
    Json(json!({"access_token": "t1", "expires_in": 86_400}))
}

async fn holidays(State(broker): State<Broker>) -> Answer {
    if let Some(refusal) = broker.ask("calendar") {
        return refusal;
    }
    let days = broker.state.lock().unwrap().days.clone();
    (StatusCode::OK, Json(json!({"rt_cd": "0", "output": days})))
}

async fn stock_info(State(broker): State<Broker>, Query(query): Query2) -> Answer {
    of_stock(&broker, &query["PDNO"])
}

async fn price(State(broker): State<Broker>, Query(query): Query2) -> Answer {
    of_stock(&broker, &query["FID_INPUT_ISCD"])
}

fn of_stock(broker: &Broker, symbol: &str) -> Answer {
    if let Some(refusal) = broker.ask(symbol) {
        return refusal;
    }
    let told = broker.state.lock().unwrap().stocks.get(symbol).cloned();
    let body = match told {
        Some(output) => json!({"rt_cd": "0", "output": output}),
        None => json!({"rt_cd": "1", "msg_cd": "MCA05918", "msg1": "no such issue"}),
    };
    (StatusCode::OK, Json(body))
}
