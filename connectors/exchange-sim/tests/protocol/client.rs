//! A small client of the broker's protocol, independent of the simulator's own code.

use std::{collections::BTreeMap, time::Duration};

use aes::cipher::{BlockDecryptMut, KeyIvInit, block_padding::Pkcs7};
use base64::{Engine, engine::general_purpose::STANDARD};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, tungstenite::Message};
use turnstile_exchange_sim::{
    AccountConfig, GeneratorConfig, HoldingConfig, LimitsConfig, PathConfig, Price, SimConfig,
    Simulator, Symbol,
};

/// Longest wait for anything that has to come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Settings of a market that stands still until the test moves it, without call limits.
pub(crate) fn quiet() -> SimConfig {
    SimConfig {
        accounts: vec![AccountConfig {
            cash: 10_000_000.into(),
            holdings: vec![HoldingConfig {
                symbol: Symbol::new("005930").unwrap(),
                qty: 10,
                avg_price: Price::from_won(188_500),
            }],
            ..AccountConfig::default()
        }],
        limits: LimitsConfig {
            rest_per_second: Some(0),
            token_per_minute: 0,
            registrations: 41,
        },
        path: PathConfig::Generator(GeneratorConfig {
            ticks_per_second: 0,
            ..GeneratorConfig::default()
        }),
        ..SimConfig::default()
    }
}

/// One answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) tr_cont: String,
    pub(crate) content_type: String,
    pub(crate) text: String,
    pub(crate) body: Value,
}

/// A running simulator with a client that has a token.
pub(crate) struct Client {
    pub(crate) sim: Simulator,
    pub(crate) http: reqwest::Client,
    pub(crate) account: AccountConfig,
    pub(crate) token: String,
}

impl Client {
    pub(crate) async fn start(config: SimConfig) -> Self {
        // Plain HTTP only, but the client wants to know its provider all the same.
        drop(rustls::crypto::ring::default_provider().install_default());
        let account = config.accounts[0].clone();
        let sim = Simulator::start(config).await.unwrap();
        let http = reqwest::Client::new();
        let mut client = Self {
            sim,
            http,
            account,
            token: String::new(),
        };
        client.token = client.new_token().await;
        client
    }

    pub(crate) async fn new_token(&self) -> String {
        let body = json!({
            "grant_type": "client_credentials",
            "appkey": self.account.app_key,
            "appsecret": self.account.app_secret,
        });
        let reply = self.post("/oauth2/tokenP", "", &body).await;
        reply.body["access_token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn approval(&self) -> String {
        let body = json!({
            "grant_type": "client_credentials",
            "appkey": self.account.app_key,
            "secretkey": self.account.app_secret,
        });
        let reply = self.post("/oauth2/Approval", "", &body).await;
        reply.body["approval_key"].as_str().unwrap().to_owned()
    }

    fn headers(&self, request: reqwest::RequestBuilder, tr_id: &str) -> reqwest::RequestBuilder {
        request
            .header("authorization", format!("Bearer {}", self.token))
            .header("appkey", &self.account.app_key)
            .header("appsecret", &self.account.app_secret)
            .header("tr_id", tr_id)
            .header("custtype", "P")
    }

    pub(crate) async fn post(&self, path: &str, tr_id: &str, body: &Value) -> Reply {
        let url = format!("{}{path}", self.sim.rest_url());
        let request = self.headers(self.http.post(url), tr_id).json(body);
        reply(request.send().await.unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str, tr_id: &str, query: &[(&str, &str)]) -> Reply {
        self.get_page(path, tr_id, query, "").await
    }

    pub(crate) async fn get_page(
        &self,
        path: &str,
        tr_id: &str,
        query: &[(&str, &str)],
        tr_cont: &str,
    ) -> Reply {
        let url = format!("{}{path}", self.sim.rest_url());
        let request = self
            .headers(self.http.get(url), tr_id)
            .header("tr_cont", tr_cont);
        reply(request.query(query).send().await.unwrap()).await
    }

    pub(crate) async fn order(&self, tr_id: &str, changes: &[(&str, &str)]) -> Reply {
        let mut body: BTreeMap<&str, &str> = BTreeMap::from([
            ("CANO", self.account.cano.as_str()),
            ("ACNT_PRDT_CD", "01"),
            ("PDNO", "005930"),
            ("ORD_DVSN", "00"),
            ("ORD_QTY", "10"),
            ("ORD_UNPR", "190100"),
            ("EXCG_ID_DVSN_CD", "KRX"),
            ("SLL_TYPE", ""),
            ("CNDT_PRIC", ""),
        ]);
        body.extend(changes.iter().copied());
        let path = "/uapi/domestic-stock/v1/trading/order-cash";
        self.post(path, tr_id, &serde_json::to_value(body).unwrap())
            .await
    }

    /// Sends an order that must be accepted and returns its number.
    pub(crate) async fn accepted(&self, tr_id: &str, changes: &[(&str, &str)]) -> String {
        let reply = self.order(tr_id, changes).await;
        assert_eq!(reply.body["rt_cd"], "0", "{}", reply.text);
        reply.body["output"]["ODNO"].as_str().unwrap().to_owned()
    }

    /// Waits until an order is in the market.
    pub(crate) async fn until_working(&self, number: &str) {
        let working = async {
            loop {
                let orders = self.look("/orders").await;
                let mut orders = orders["orders"].as_array().unwrap().iter();
                if orders.any(|order| order["odno"] == number && order["status"] == "working") {
                    return;
                }
            }
        };
        tokio::time::timeout(PATIENCE, working).await.unwrap();
    }

    pub(crate) async fn control(&self, path: &str, body: &Value) -> Value {
        let url = format!("{}{path}", self.sim.control_url());
        let response = self.http.post(url).json(body).send().await.unwrap();
        let status = response.status();
        let body: Value = response.json().await.unwrap();
        assert!(status.is_success(), "{status} {body}");
        body
    }

    pub(crate) async fn look(&self, path: &str) -> Value {
        let url = format!("{}{path}", self.sim.control_url());
        self.http
            .get(url)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }

    pub(crate) async fn print(&self, symbol: &str, price: i64) {
        self.control(
            "/price",
            &json!({ "symbol": symbol, "price": price, "volume": 5 }),
        )
        .await;
    }

    pub(crate) async fn connect(&self) -> Session {
        let url = format!("{}/tryitout", self.sim.ws_url());
        let (stream, _) = tokio_tungstenite::connect_async(url).await.unwrap();
        Session {
            stream,
            approval: self.approval().await,
            key: String::new(),
            iv: String::new(),
        }
    }

    /// Opens a session that has registered the notices of the account.
    pub(crate) async fn notices(&self, tr_id: &str) -> Session {
        let mut session = self.connect().await;
        let ack = session.subscribe(tr_id, &self.account.hts_id).await;
        assert_eq!(ack["body"]["msg_cd"], "OPSP0000", "{ack}");
        session
    }
}

async fn reply(response: reqwest::Response) -> Reply {
    let status = response.status().as_u16();
    let header = |name: &str| {
        let value = response
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap());
        value.unwrap_or_default().to_owned()
    };
    let (tr_cont, content_type) = (header("tr_cont"), header("content-type"));
    let text = response.text().await.unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Reply {
        status,
        tr_cont,
        content_type,
        text,
        body,
    }
}

/// A WebSocket session.
pub(crate) struct Session {
    pub(crate) stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub(crate) approval: String,
    pub(crate) key: String,
    pub(crate) iv: String,
}

impl Session {
    pub(crate) async fn send(&mut self, text: impl Into<String>) {
        self.stream.send(Message::text(text.into())).await.unwrap();
    }

    pub(crate) async fn request(&mut self, tr_type: &str, tr_id: &str, tr_key: &str) {
        let message = json!({
            "header": {
                "approval_key": self.approval,
                "custtype": "P",
                "tr_type": tr_type,
                "content-type": "utf-8",
            },
            "body": { "input": { "tr_id": tr_id, "tr_key": tr_key } },
        });
        self.send(message.to_string()).await;
    }

    /// Registers a stream and returns the acknowledgement.
    pub(crate) async fn subscribe(&mut self, tr_id: &str, tr_key: &str) -> Value {
        self.request("1", tr_id, tr_key).await;
        let ack = self.ack().await;
        if let Some(key) = ack["body"]["output"]["key"].as_str() {
            self.key = key.to_owned();
            self.iv = ack["body"]["output"]["iv"].as_str().unwrap().to_owned();
        }
        ack
    }

    /// Returns the next text message; nothing once the connection is gone.
    pub(crate) async fn text(&mut self) -> Option<String> {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.stream.next()).await;
            match next.expect("a message comes in time") {
                Some(Ok(Message::Text(text))) => return Some(text.to_string()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    pub(crate) async fn ack(&mut self) -> Value {
        loop {
            let text = self.text().await.expect("an acknowledgement comes");
            if text.starts_with('{') && !text.contains("PINGPONG") {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }

    /// Returns the records of the next trade frame, split into fields.
    pub(crate) async fn trades(&mut self) -> Vec<Vec<String>> {
        loop {
            let text = self.text().await.expect("a frame comes");
            let Some(rest) = text.strip_prefix("0|H0STCNT0|") else {
                continue;
            };
            let (count, payload) = rest.split_once('|').unwrap();
            let fields: Vec<String> = payload.split('^').map(str::to_owned).collect();
            assert_eq!(count.len(), 3);
            let count: usize = count.parse().unwrap();
            assert_eq!(fields.len() % count, 0);
            let width = fields.len() / count;
            return fields.chunks(width).map(<[String]>::to_vec).collect();
        }
    }

    /// Returns the fields of the next notice, decrypted.
    pub(crate) async fn notice(&mut self) -> Vec<String> {
        loop {
            let text = self.text().await.expect("a notice comes");
            if text.starts_with("1|H0STCNI") {
                return self.decrypt(text.splitn(4, '|').nth(3).unwrap());
            }
        }
    }

    fn decrypt(&self, payload: &str) -> Vec<String> {
        let bytes = STANDARD.decode(payload).unwrap();
        let cipher =
            cbc::Decryptor::<aes::Aes256>::new_from_slices(self.key.as_bytes(), self.iv.as_bytes());
        let clear = cipher
            .unwrap()
            .decrypt_padded_vec_mut::<Pkcs7>(&bytes)
            .unwrap();
        let clear = String::from_utf8(clear).unwrap();
        clear.split('^').map(str::to_owned).collect()
    }
}
