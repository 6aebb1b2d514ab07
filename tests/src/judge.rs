//! The judge: what the database says about orders and positions against the ledger of the
//! simulated exchange.
//!
//! 1. The broker has no order of ours that the database does not know, and no two orders of the
//!    database share one of the broker's.
//! 2. An action key has at most one effective order at the broker: one that is open or filled.
//! 3. What the database holds as filled is what the broker filled, order by order, and is executed
//!    share by share.
//! 4. A position never sold more than it had; what is left of it is what was not sold, less what
//!    somebody else took where somebody else had his hand in it.
//! 5. What the database holds of a symbol is what the broker holds.
//! 6. A position is closed exactly if nothing is left, and then has exactly one exit event.
//! 7. The program itself says that no standing invariant is broken.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::System;

/// Shares and orders of some positions, as both sides tell them.
#[derive(Debug, Default)]
pub struct Books {
    /// The positions.
    pub positions: Vec<Position>,
    /// Their orders in the database.
    pub orders: Vec<Order>,
    /// The broker's orders.
    pub at_broker: Vec<BrokerOrder>,
    /// Shares that the broker holds, of the symbols of the positions.
    pub holdings: BTreeMap<String, i64>,
    /// Symbols in which somebody else traded, or whose holding he changed.
    pub by_hand: BTreeSet<String>,
    /// Standing invariants that do not hold, in words.
    pub broken: Vec<String>,
}

/// A position of the database.
#[derive(Clone, Debug, Default)]
pub struct Position {
    /// Identity.
    pub id: String,
    /// What is held.
    pub symbol: String,
    /// Shares at first, in its present cycle.
    pub original: i64,
    /// Which cycle: shares added far from the average begin a new one.
    pub cycle: i32,
    /// Shares now.
    pub qty: i64,
    /// OPEN, CLOSING or CLOSED.
    pub status: String,
    /// Exit events.
    pub exits: i64,
}

/// An order of the database.
#[derive(Clone, Debug, Default)]
pub struct Order {
    /// What was decided.
    pub action_key: String,
    /// Whose shares it sells.
    pub position: String,
    /// In which cycle of the position it was decided.
    pub cycle: i32,
    /// As `trade.orders_now` has it.
    pub status: String,
    /// Shares filled, by its events.
    pub filled: i64,
    /// Shares filled, by its executions.
    pub executed: i64,
    /// Numbers that the broker gave it.
    pub numbers: BTreeSet<String>,
}

/// An order of the broker's ledger.
#[derive(Clone, Debug, Default)]
pub struct BrokerOrder {
    /// Number, zero padded.
    pub number: String,
    /// What is traded.
    pub symbol: String,
    /// Whether it is neither a cancel nor a replacement.
    pub is_new: bool,
    /// Whether another terminal gave it.
    pub is_manual: bool,
    /// Whether nothing more comes of it.
    pub is_done: bool,
    /// Shares filled.
    pub filled: i64,
    /// Shares that can still trade.
    pub remaining: i64,
}

impl BrokerOrder {
    fn is_effective(&self) -> bool {
        self.filled > 0 || self.remaining > 0
    }
}

const POSITIONS: &str = "SELECT p.position_id::text, p.symbol, p.original_qty, p.qty, p.status,
        (SELECT count(*) FROM trade.exit_events e WHERE e.position_id = p.position_id), p.cycle
    FROM trade.positions p
    JOIN (SELECT array_agg(symbol) AS symbols, min(entry_ts) AS since FROM trade.positions
          WHERE position_id = ANY($1::text[]::uuid[])) g
      ON p.symbol = ANY(g.symbols) AND p.entry_ts >= g.since
    ORDER BY p.symbol, p.position_id";

const ORDERS: &str = "SELECT o.action_key, o.position_id::text, n.status, n.filled_qty,
        (SELECT coalesce(sum(x.qty), 0) FROM trade.executions x WHERE x.order_id = o.order_id)::bigint,
        ARRAY(SELECT DISTINCT e.broker_order_no FROM trade.order_events e
              WHERE e.order_id = o.order_id AND e.broker_order_no IS NOT NULL),
        coalesce(o.cycle, 1)
    FROM trade.orders o CROSS JOIN LATERAL (
        SELECT v.status, v.filled_qty FROM trade.orders_now v WHERE v.order_id = o.order_id OFFSET 0) n
    WHERE o.position_id = ANY($1::text[]::uuid[]) ORDER BY o.decided_us";

const BROKEN: &str = "SELECT kind || ' is broken: ' || detail FROM system.invariants_broken";

impl Books {
    /// Reads the books of `positions` and of those opened in their symbols since, such as what
    /// somebody else bought, and the broker's orders with numbers above `after`. `by_hand` are symbols
    /// whose holding somebody else changed.
    ///
    /// # Panics
    /// If database or simulator does not answer.
    pub async fn read(
        system: &System,
        positions: &[String],
        after: u64,
        by_hand: &BTreeSet<String>,
    ) -> Self {
        let at_broker = system.get(&format!("/orders?after={after}")).await;
        let at_broker: Vec<BrokerOrder> = list(&at_broker["orders"]).map(broker_order).collect();
        let held = system.get("/holdings").await;
        let rows = system.query(POSITIONS, &[&positions]).await;
        let positions_read: Vec<Position> = rows
            .iter()
            .map(|row| Position {
                id: row.get(0),
                symbol: row.get(1),
                original: row.get(2),
                qty: row.get(3),
                status: row.get(4),
                exits: row.get(5),
                cycle: row.get(6),
            })
            .collect();
        let ids: Vec<&str> = positions_read.iter().map(|p| p.id.as_str()).collect();
        let rows = system.query(ORDERS, &[&ids]).await;
        let orders = rows
            .iter()
            .map(|row| Order {
                action_key: row.get(0),
                position: row.get(1),
                status: row.get(2),
                filled: row.get(3),
                executed: row.get(4),
                numbers: row.get::<_, Vec<String>>(5).into_iter().collect(),
                cycle: row.get(6),
            })
            .collect();
        let symbols: BTreeSet<&str> = positions_read.iter().map(|p| p.symbol.as_str()).collect();
        let holdings = list(&held["accounts"][0]["holdings"])
            .filter_map(|holding| {
                let symbol = holding["symbol"].as_str()?;
                let quantity = holding["quantity"].as_i64()?;
                symbols
                    .contains(symbol)
                    .then(|| (symbol.to_owned(), quantity))
            })
            .collect();
        let rows = system.query(BROKEN, &[]).await;
        let broken = rows.iter().map(|row| row.get(0)).collect();
        let mut by_hand = by_hand.clone();
        let manual = at_broker.iter().filter(|order| order.is_manual);
        by_hand.extend(manual.map(|order| order.symbol.clone()));
        Self {
            by_hand,
            positions: positions_read,
            orders,
            at_broker,
            holdings,
            broken,
        }
    }

    /// Returns whether neither side has anything under way.
    pub fn is_settled(&self) -> bool {
        let over = [
            "FILLED",
            "REJECTED",
            "CANCELLED",
            "CANCELLED_PARTIAL",
            "ERROR",
        ];
        self.orders
            .iter()
            .all(|order| over.contains(&order.status.as_str()))
            && self.at_broker.iter().all(|order| order.is_done)
            && self.positions.iter().all(|held| held.status != "CLOSING")
            && self.faults_of_holdings().is_empty()
            && self.broken.is_empty()
    }

    /// Returns what does not hold; nothing where all does.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = self.faults_of_numbers();
        faults.extend(self.orders.iter().flat_map(|order| self.faults_of(order)));
        let positions = self.positions.iter();
        faults.extend(positions.flat_map(|position| self.faults_of_position(position)));
        faults.extend(self.faults_of_holdings());
        faults.extend(self.broken.iter().cloned());
        faults
    }

    fn faults_of_numbers(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for order in self
            .at_broker
            .iter()
            .filter(|order| order.is_new && !order.is_manual)
        {
            let known = self
                .orders
                .iter()
                .filter(|known| known.numbers.contains(&order.number));
            match known.count() {
                0 => faults.push(format!("the database does not know {order:?}")),
                1 => {}
                count => faults.push(format!("{count} orders of the database are {order:?}")),
            }
        }
        faults
    }

    fn faults_of(&self, order: &Order) -> Vec<String> {
        let mut faults = Vec::new();
        let theirs: Vec<&BrokerOrder> = self
            .at_broker
            .iter()
            .filter(|theirs| order.numbers.contains(&theirs.number))
            .collect();
        let effective = theirs.iter().filter(|theirs| theirs.is_effective());
        if effective.count() > 1 {
            faults.push(format!("several effective orders: {order:?} {theirs:?}"));
        }
        let filled: i64 = theirs.iter().map(|theirs| theirs.filled).sum();
        if order.filled != filled || order.executed != filled {
            faults.push(format!("the broker filled {filled} of {order:?}"));
        }
        faults
    }

    fn faults_of_position(&self, position: &Position) -> Vec<String> {
        let mut faults = Vec::new();
        let sales = self
            .orders
            .iter()
            .filter(|order| order.position == position.id && order.cycle == position.cycle);
        let sold: i64 = sales.map(|order| order.executed).sum();
        if sold > position.original {
            faults.push(format!("{sold} shares sold of {position:?}"));
        }
        let gone = position.original - sold - position.qty;
        if gone < 0 || (gone > 0 && !self.by_hand.contains(&position.symbol)) {
            faults.push(format!("{sold} shares sold, and left are {position:?}"));
        }
        let is_closed = position.status == "CLOSED";
        if is_closed != (position.qty == 0) || position.exits != i64::from(is_closed) {
            faults.push(format!(
                "closed, sold out and exit event go together: {position:?}"
            ));
        }
        faults
    }

    fn faults_of_holdings(&self) -> Vec<String> {
        let mut ours = BTreeMap::<&str, i64>::new();
        for position in &self.positions {
            *ours.entry(&position.symbol).or_default() += position.qty;
        }
        let theirs = |symbol: &str| self.holdings.get(symbol).copied().unwrap_or_default();
        ours.into_iter()
            .filter(|(symbol, qty)| theirs(symbol) != *qty)
            .map(|(symbol, qty)| {
                format!("the broker holds {} of {symbol}, we {qty}", theirs(symbol))
            })
            .collect()
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn broker_order(order: &Value) -> BrokerOrder {
    let text = |key: &str| order[key].as_str().unwrap_or_default().to_owned();
    let number = |key: &str| order[key].as_i64().unwrap_or_default();
    BrokerOrder {
        number: text("odno"),
        symbol: text("symbol"),
        is_new: order["class"] == "new",
        is_manual: order["is_manual"] == true,
        is_done: order["status"] == "done",
        filled: number("filled"),
        remaining: number("remaining"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Spoil = fn(&mut Books);

    /// A position of ten shares, sold by one order.
    fn sold() -> Books {
        let number = "0000100001".to_owned();
        Books {
            positions: vec![Position {
                id: "p".into(),
                symbol: "005930".into(),
                original: 10,
                qty: 0,
                status: "CLOSED".into(),
                exits: 1,
                cycle: 1,
            }],
            orders: vec![Order {
                action_key: "p:1:OPEN:SL2:1".into(),
                position: "p".into(),
                status: "FILLED".into(),
                filled: 10,
                executed: 10,
                numbers: BTreeSet::from([number.clone()]),
                cycle: 1,
            }],
            at_broker: vec![BrokerOrder {
                number,
                symbol: "005930".into(),
                is_new: true,
                is_done: true,
                filled: 10,
                ..BrokerOrder::default()
            }],
            holdings: BTreeMap::from([("005930".into(), 0)]),
            by_hand: BTreeSet::new(),
            broken: Vec::new(),
        }
    }

    #[test]
    fn what_agrees_has_no_fault() {
        assert_eq!(sold().faults(), Vec::<String>::new());
        assert!(sold().is_settled());
    }

    #[test]
    fn every_disagreement_is_named() {
        let spoil: [(Spoil, &str); 9] = [
            (|books| books.orders[0].numbers.clear(), "does not know"),
            (
                |books| {
                    let twice = books.orders[0].clone();
                    books.orders.push(twice);
                },
                "2 orders of the database",
            ),
            (
                |books| {
                    let mut twice = books.at_broker[0].clone();
                    twice.number = "0000100002".into();
                    books.orders[0].numbers.insert(twice.number.clone());
                    books.at_broker.push(twice);
                },
                "several effective",
            ),
            (|books| books.at_broker[0].filled = 9, "the broker filled 9"),
            (|books| books.positions[0].original = 9, "10 shares sold of"),
            (|books| books.positions[0].qty = 1, "left are"),
            (|books| books.positions[0].exits = 2, "go together"),
            (
                |books| {
                    books.holdings.insert("005930".into(), 5);
                },
                "the broker holds 5",
            ),
            (
                |books| books.broken.push("CACHE is broken: x".into()),
                "CACHE is broken",
            ),
        ];
        for (spoil, said) in spoil {
            let mut books = sold();
            spoil(&mut books);
            let faults = books.faults().join("; ");
            assert!(faults.contains(said), "{said}: {faults}");
        }
    }

    #[test]
    fn shares_may_be_gone_only_where_somebody_else_had_his_hand_in() {
        let mut books = sold();
        books.positions[0].original = 12;
        assert_ne!(books.faults(), Vec::<String>::new());
        books.by_hand.insert("005930".into());
        assert_eq!(books.faults(), Vec::<String>::new());
        books.holdings.insert("005930".into(), 2);
        assert!(!books.is_settled());
    }

    #[test]
    fn an_order_by_hand_is_not_ours() {
        let mut books = sold();
        books.at_broker.push(BrokerOrder {
            number: "0000100002".into(),
            is_new: true,
            is_manual: true,
            ..BrokerOrder::default()
        });
        assert_eq!(books.faults(), Vec::<String>::new());
        assert!(!books.is_settled());
    }
}
