//! The calendar in force, shared by everything that asks for trading days.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use tokio::sync::watch;

use super::{Calendar, ToldDay};

/// The calendar in force. Clones see a change at once; readers take no lock that a writer holds for
/// longer than the exchange of a pointer.
#[derive(Clone, Debug)]
pub struct SharedCalendar {
    current: watch::Sender<Arc<Calendar>>,
}

impl SharedCalendar {
    /// Returns the calendar as it is now.
    pub fn now(&self) -> Arc<Calendar> {
        Arc::clone(&self.current.borrow())
    }

    /// Puts `told` in the place of what was told before. Returns whether that changes anything.
    pub fn tell(&self, told: BTreeMap<Date, ToldDay>) -> bool {
        let next = self.now().with_told(told);
        self.current.send_if_modified(|current| {
            let has_changed = **current != next;
            if has_changed {
                *current = Arc::new(next);
            }
            has_changed
        })
    }
}

impl From<Calendar> for SharedCalendar {
    fn from(calendar: Calendar) -> Self {
        Self {
            current: watch::Sender::new(Arc::new(calendar)),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn every_clone_sees_what_is_told() {
        let day = date(2026, 12, 7);
        let calendar = SharedCalendar::from(Calendar::new([date(2026, 12, 25)], day));
        let reader = calendar.clone();
        assert!(reader.now().is_trading_day(day));
        let closed = ToldDay {
            is_open: false,
            is_settlement_day: None,
        };
        assert!(calendar.tell(BTreeMap::from([(day, closed)])));
        assert!(!calendar.tell(BTreeMap::from([(day, closed)])));
        assert!(!reader.now().is_trading_day(day));
        assert!(reader.tell(BTreeMap::new()));
        assert!(calendar.now().is_trading_day(day));
    }
}
