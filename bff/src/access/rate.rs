//! How often one client may ask.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// Addresses remembered from which on those at rest are forgotten.
const ADDRESSES_MAX: usize = 10_000;

/// Requests per token, and failed ones per address.
pub(super) struct Rates {
    clock: DefaultClock,
    requests: Option<DefaultKeyedRateLimiter<String>>,
    failures: Option<DefaultKeyedRateLimiter<IpAddr>>,
}

impl Rates {
    /// Makes limits of `per_second` requests a token, twice as many at once, and of `failures` wrong tokens
    /// an address and minute; 0: no limit.
    pub(super) fn new(per_second: u32, failures: u32) -> Self {
        let requests = NonZeroU32::new(per_second).map(|rate| {
            let burst = rate.saturating_mul(NonZeroU32::MIN.saturating_add(1));
            RateLimiter::keyed(Quota::per_second(rate).allow_burst(burst))
        });
        Self {
            clock: DefaultClock::default(),
            requests,
            failures: NonZeroU32::new(failures)
                .map(|rate| RateLimiter::keyed(Quota::per_minute(rate))),
        }
    }

    /// Counts a request of a token.
    ///
    /// # Errors
    /// The time until the next is answered.
    pub(super) fn request(&self, name: &str) -> Result<(), Duration> {
        let Some(requests) = &self.requests else {
            return Ok(());
        };
        let counted = requests.check_key(&name.to_owned());
        counted.map_err(|early| early.wait_time_from(self.clock.now()))
    }

    /// Counts a wrong token.
    ///
    /// # Errors
    /// The time until the next is looked at.
    pub(super) fn failure(&self, address: IpAddr) -> Result<(), Duration> {
        let Some(failures) = &self.failures else {
            return Ok(());
        };
        if failures.len() > ADDRESSES_MAX {
            failures.retain_recent();
        }
        let counted = failures.check_key(&address);
        counted.map_err(|early| early.wait_time_from(self.clock.now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_token_does_not_use_up_what_another_has() {
        let rates = Rates::new(2, 60);
        for _ in 0..4 {
            rates.request("a").unwrap();
        }
        let pause = rates.request("a").unwrap_err();
        assert!(pause <= Duration::from_millis(500), "{pause:?}");
        rates.request("b").unwrap();
    }

    #[test]
    fn without_a_rate_nothing_is_refused_but_failures() {
        let rates = Rates::new(0, 60);
        let address = IpAddr::from([192, 0, 2, 1]);
        for _ in 0..1_000 {
            rates.request("a").unwrap();
        }
        let failed = (0..1_000)
            .filter(|_| rates.failure(address).is_ok())
            .count();
        assert_eq!(failed, 60);
        rates.failure(IpAddr::from([192, 0, 2, 2])).unwrap();
    }
}
