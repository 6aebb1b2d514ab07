//! Looks at the cache from outside: which keys there are, and what they say. They count neither as hits
//! nor as misses, and take no reader's turn while Redis is isolated.

use super::Cache;

impl Cache {
    /// Returns about `count` keys from `cursor` on, and where the next ones begin; zero begins anew. None
    /// where Redis does not answer.
    pub async fn scan(&self, cursor: u64, count: usize) -> Option<(u64, Vec<String>)> {
        if *self.inner.breaker.is_open().borrow() {
            return None;
        }
        let scanned = self.call_soon(async |mut connection| {
            redis::cmd("SCAN")
                .arg(cursor)
                .arg("COUNT")
                .arg(count)
                .query_async::<(u64, Vec<Vec<u8>>)>(&mut connection)
                .await
        });
        let (next, keys) = scanned.await?;
        // A key that is no text is none of ours.
        let keys = keys
            .into_iter()
            .filter_map(|key| String::from_utf8(key).ok());
        Some((next, keys.collect()))
    }

    /// Returns the value of each of `keys`, none where it has none or is no text. None where Redis does
    /// not answer.
    pub async fn peek(&self, keys: &[String]) -> Option<Vec<Option<String>>> {
        if keys.is_empty() {
            return Some(Vec::new());
        }
        if *self.inner.breaker.is_open().borrow() {
            return None;
        }
        let values = self.call_soon(async |mut connection| {
            redis::cmd("MGET")
                .arg(keys)
                .query_async::<Vec<Option<Vec<u8>>>>(&mut connection)
                .await
        });
        let text = |value: Option<Vec<u8>>| value.and_then(|value| String::from_utf8(value).ok());
        Some(values.await?.into_iter().map(text).collect())
    }
}
