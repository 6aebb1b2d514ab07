//! What the desks beside the engine are told.

use turnstile_connectors::rows::ReadRows;
use turnstile_dataflows::model::LogicalTime;

use super::Sequencer;

impl Sequencer {
    /// Tells them what rows say that were read, and takes it from there.
    pub(super) fn tell_desks(&self, time: LogicalTime, read: &mut ReadRows) {
        let risk = std::mem::take(&mut read.risk);
        if !risk.is_empty() {
            self.risk.tell(time, risk);
        }
        let invariants = std::mem::take(&mut read.invariants);
        if !invariants.is_empty() {
            self.invariants.tell_at(time, invariants);
        }
    }

    /// Tells them of a second.
    pub(super) fn tell_second(&mut self, time: LogicalTime) {
        self.risk.second(time, self.is_current);
        self.invariants.second(time, self.is_current);
    }
}
