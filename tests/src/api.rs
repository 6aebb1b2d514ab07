//! The API of a BFF under test.

use reqwest::{Client, RequestBuilder};
use serde_json::Value;

use crate::Program;

/// A running BFF and a client of it.
pub struct Api {
    program: Program,
    url: String,
    http: Client,
}

impl Api {
    /// Returns a client of `program`, which answers at `url`.
    pub fn new(program: Program, url: String) -> Self {
        let http = Client::new();
        Self { program, url, http }
    }

    /// Returns status and body of a GET.
    ///
    /// # Panics
    /// If it does not answer in JSON.
    pub async fn get(&self, path: &str) -> (u16, Value) {
        answer(self.http.get(self.address(path))).await
    }

    /// Returns status and body of a POST.
    ///
    /// # Panics
    /// If it does not answer in JSON.
    pub async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        answer(self.http.post(self.address(path)).json(body)).await
    }

    /// Returns status and body of a PUT.
    ///
    /// # Panics
    /// If it does not answer in JSON.
    pub async fn put(&self, path: &str, body: &Value) -> (u16, Value) {
        answer(self.http.put(self.address(path)).json(body)).await
    }

    /// Stops the BFF.
    ///
    /// # Panics
    /// If it does not end cleanly.
    pub async fn stop(self) {
        self.program.stop().await;
    }

    fn address(&self, path: &str) -> String {
        format!("{}/api/v1{path}", self.url)
    }
}

async fn answer(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    (status, answer.json().await.expect("JSON"))
}
