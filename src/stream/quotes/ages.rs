//! How old prices are, and how long the stream has said nothing, shown each second.
//!
//! Out of session nothing trades: ages are zero then.

use std::time::Duration;

use metrics::gauge;
use tokio::sync::watch;
use turnstile_connectors::monitoring::metrics::{
    FOLLOWED_SYMBOLS, OLDEST_PRICE, STALE_SYMBOLS, WS_SILENCE,
};

use super::Quotes;
use super::tiers::Wanted;

const EVERY: Duration = Duration::from_secs(1);
/// Ranks up to this one are held (`trade.followed`).
const HELD: i32 = 1;

impl Quotes {
    /// Shows ages for good.
    pub(super) async fn keep_showing(&self, wanted: watch::Receiver<Vec<Wanted>>) {
        let mut step = tokio::time::interval(EVERY);
        loop {
            step.tick().await;
            let wanted = wanted.borrow().clone();
            self.show(&wanted);
        }
    }

    fn show(&self, wanted: &[Wanted]) {
        let (is_open, now_us) = (self.session.market().is_open(), (self.clock)());
        let age = |then_us: u64| match is_open {
            true => Duration::from_micros(now_us.saturating_sub(then_us)),
            false => Duration::ZERO,
        };
        let oldest = |held: bool| {
            let of = wanted.iter().filter(|wanted| !held || wanted.rank <= HELD);
            let ages = of.map(|wanted| age(self.seen.last_us(wanted.symbol)));
            ages.max().unwrap_or_default().as_secs_f64()
        };
        gauge!(OLDEST_PRICE, "of" => "followed").set(oldest(false));
        gauge!(OLDEST_PRICE, "of" => "held").set(oldest(true));
        let is_stale = |wanted: &&Wanted| is_open && self.seen.is_stale(wanted.symbol);
        let stale = wanted.iter().filter(is_stale).count();
        gauge!(STALE_SYMBOLS).set(number(stale));
        gauge!(FOLLOWED_SYMBOLS).set(number(wanted.len()));
        let heard = self.clients.iter().map(|client| client.stream_heard_us());
        // A stream that is away is told of by itself.
        let silence = match (self.standing.borrow().is_away(), heard.max()) {
            (false, Some(heard_us)) if heard_us > 0 => age(heard_us),
            _ => Duration::ZERO,
        };
        gauge!(WS_SILENCE).set(silence.as_secs_f64());
    }
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
