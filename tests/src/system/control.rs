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
        let wanted = usize::try_from(wanted).expect("few symbols");
        let registrations = async || self.registrations().await;
        eventually("all symbols registered", async || {
            registrations().await >= wanted
        })
        .await;
    }

    /// Returns the registrations of the session that has most.
    ///
    /// # Panics
    /// If the simulator does not answer.
    pub async fn registrations(&self) -> usize {
        let status = self.get("/status").await;
        let sessions = status["sessions"].as_array().cloned().unwrap_or_default();
        let counts = sessions
            .iter()
            .map(|session| session["registrations"].as_array().map_or(0, Vec::len));
        counts.max().unwrap_or_default()
    }

    /// Sets the mode of `exit` or `reentry`.
    ///
    /// # Panics
    /// If the database refuses.
    pub async fn mode(&self, of: &str, mode: &str) {
        let set = format!("UPDATE trade.{of}_control SET mode = $1, updated_by = 'test'");
        self.execute(&set, &[&mode]).await;
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
