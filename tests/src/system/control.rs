//! The simulator's control port, as a test uses it.

use serde_json::{Value, json};

use super::{System, eventually};

impl System {
    /// Waits until a session of the simulator has more than `count` registrations.
    ///
    /// # Panics
    /// If it does not in time.
    pub async fn registered(&self, count: u64) {
        let wanted: i64 = self
            .one("SELECT count(DISTINCT symbol) FROM strategy.watchlist", &[])
            .await;
        let wanted = u64::try_from(wanted).unwrap_or_default() + count;
        eventually("all symbols registered", async || {
            let status = self.get("/status").await;
            let sessions = status["sessions"].as_array().cloned().unwrap_or_default();
            let registrations = sessions.iter().filter_map(|session| {
                session["registrations"].as_u64().or_else(|| {
                    session["registrations"]
                        .as_array()
                        .and_then(|list| u64::try_from(list.len()).ok())
                })
            });
            registrations.max().unwrap_or_default() >= wanted
        })
        .await;
    }

    /// Asks the simulator's control port.
    ///
    /// # Panics
    /// If it does not answer.
    pub async fn get(&self, path: &str) -> Value {
        let answer = self
            .http
            .get(format!("{}{path}", self.control))
            .send()
            .await
            .expect("answer");
        answer.json().await.expect("JSON")
    }

    /// Tells the simulator's control port.
    ///
    /// # Panics
    /// If it refuses.
    pub async fn post(&self, path: &str, body: Value) -> Value {
        let request = self
            .http
            .post(format!("{}{path}", self.control))
            .json(&body);
        let answer = request.send().await.expect("answer");
        assert!(
            answer.status().is_success(),
            "{path}: {}",
            answer.text().await.unwrap_or_default()
        );
        answer.json().await.expect("JSON")
    }

    /// Tells the simulator's control port what it may refuse; returns the answer if it does not.
    ///
    /// # Panics
    /// If it does not answer.
    pub async fn try_post(&self, path: &str, body: &Value) -> Option<Value> {
        let request = self.http.post(format!("{}{path}", self.control)).json(body);
        let answer = request.send().await.expect("answer");
        if !answer.status().is_success() {
            return None;
        }
        answer.json().await.ok()
    }

    /// Returns how many new orders the broker was asked for.
    ///
    /// # Panics
    /// If the simulator does not answer.
    pub async fn orders_sent(&self) -> usize {
        let log = self.get("/log").await;
        let calls = log["calls"].as_array().expect("the log has calls");
        let is_order = |call: &&Value| {
            call["path"]
                .as_str()
                .is_some_and(|path| path.ends_with("/order-cash"))
        };
        calls.iter().filter(is_order).count()
    }

    /// Prints one trade at the exchange.
    pub async fn trade(&self, symbol: &str, won: i64) {
        self.post(
            "/price",
            json!({"symbol": symbol, "price": won, "volume": 10}),
        )
        .await;
    }
}
