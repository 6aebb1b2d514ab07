//! Orders, reduced to what the rules ask of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::change::InvariantOrder;
use super::rules::Sale;
use crate::model::{OrderFact, OrderFacts};

/// Orders by identity, with the facts about them.
#[derive(Debug, Default)]
pub(super) struct Orders(BTreeMap<Arc<str>, Known>);

#[derive(Debug)]
struct Known {
    row: InvariantOrder,
    facts: OrderFacts,
}

impl Orders {
    /// Takes in a row. Returns whether it is new: a row never changes.
    pub(super) fn add(&mut self, row: InvariantOrder) -> bool {
        let is_new = !self.0.contains_key(&row.id);
        if is_new {
            let facts = OrderFacts::default();
            self.0.insert(row.id.clone(), Known { row, facts });
        }
        is_new
    }

    /// Takes in a fact. One of an order that is not known is passed over.
    pub(super) fn learn(&mut self, id: &Arc<str>, fact: OrderFact) {
        if let Some(known) = self.0.get_mut(id) {
            known.facts.add(fact);
        }
    }

    /// Forgets an order. Returns its row.
    pub(super) fn forget(&mut self, id: &Arc<str>) -> Option<InvariantOrder> {
        Some(self.0.remove(id)?.row)
    }

    /// Returns the row of an order.
    pub(super) fn row(&self, id: &Arc<str>) -> Option<&InvariantOrder> {
        Some(&self.0.get(id)?.row)
    }

    /// Returns what an order sells; none where it sells nothing of ours.
    pub(super) fn sale(&self, id: &Arc<str>) -> Option<Sale> {
        let Known { row, facts } = self.0.get(id)?;
        let position = row.position.clone().filter(|_| !row.is_foreign)?;
        Some(Sale {
            position,
            stored: row.stored,
            filled: facts.filled(),
            asked: facts.asked(row.qty),
        })
    }
}
