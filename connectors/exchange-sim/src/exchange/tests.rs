//! Matching, sessions and books, without any service around them.

use std::time::Duration;

use jiff::civil::{DateTime, date};
use proptest::prelude::*;

use super::*;
use crate::{
    broker::{Class, OrderType, Reject, Side, Status},
    clock::Session,
    config::HoldingConfig,
    issue::QuoteRule,
    price::Price,
};

const SAMSUNG: usize = 0;

fn at(hour: i8, minute: i8) -> DateTime {
    date(2026, 11, 16).at(hour, minute, 0, 0)
}

fn moment(at: DateTime, session: Session) -> Moment {
    Moment {
        at,
        session,
        is_trading_day: true,
    }
}

fn exchange(fills: FillConfig) -> Exchange {
    let mut config = SimConfig {
        fills,
        ..SimConfig::default()
    };
    config.accounts[0].cash = 10_000_000.into();
    config.accounts[0].holdings = vec![HoldingConfig {
        symbol: Symbol::new("005930").unwrap(),
        qty: 100,
        avg_price: Price::from_won(180_000),
    }];
    let issues = config.stocks.iter().map(Issue::new).collect();
    Exchange::new(&config, issues, moment(at(10, 0), Session::Regular))
}

fn instant_fills() -> FillConfig {
    FillConfig {
        latency: Duration::ZERO,
        ..FillConfig::default()
    }
}

fn order(side: Side, code: &str, quantity: i64, won: i64) -> NewOrder {
    NewOrder {
        account: 0,
        symbol: "005930".to_owned(),
        side,
        order_type: OrderType::by_code(code).unwrap(),
        quantity,
        price: Price::from_won(won),
        is_routed: false,
        is_doomed: false,
    }
}

impl Exchange {
    fn print_won(&mut self, won: i64, now: Instant) {
        let quotes = QuoteRule::Grid {
            ask_quantity: 1,
            bid_quantity: 1,
        };
        let trade = Trade {
            price: Price::from_won(won),
            volume: 1,
            aggressor: None,
            quotes,
        };
        self.print(SAMSUNG, &trade, now);
    }

    /// Sends an order, lets it take effect and returns its number.
    fn send(&mut self, order: &NewOrder, now: Instant) -> u64 {
        let number = self.accept(order, now).unwrap().number;
        let moment = self.moment;
        self.turn(now, moment);
        number
    }

    fn amend_all(&mut self, class: Class, original: u64, won: i64, now: Instant) -> u64 {
        let change = Amendment {
            account: 0,
            class,
            original,
            quantity: None,
            order_type: OrderType::by_code("00").unwrap(),
            price: Price::from_won(won),
        };
        self.amend(&change, now).unwrap().number
    }

    /// Filled quantity and average price of an order.
    fn outcome(&self, number: u64) -> (i64, String) {
        let order = &self.orders[&number];
        (order.filled, order.average())
    }
}

#[test]
fn nothing_trades_in_a_halted_issue() {
    let (mut exchange, now) = (exchange(instant_fills()), Instant::now());
    exchange.print_won(190_000, now);
    exchange.halt(SAMSUNG, now + Duration::from_secs(1));
    let number = exchange.send(&order(Side::Sell, "01", 10, 0), now);
    assert_eq!(exchange.outcome(number), (0, "0".to_owned()));
    let later = now + Duration::from_secs(1);
    exchange.turn(later, exchange.moment);
    exchange.print_won(189_000, later);
    // The price fell, so the seller gets the bid that the trade hit.
    assert_eq!(exchange.outcome(number), (10, "189000.0000".to_owned()));
}

#[test]
fn best_and_priority_orders_take_the_quotes_of_their_arrival() {
    let (mut exchange, now) = (exchange(instant_fills()), Instant::now());
    exchange.print_won(190_000, now);
    exchange.print_won(190_100, now);
    let best = exchange.send(&order(Side::Buy, "03", 1, 0), now);
    assert_eq!(exchange.outcome(best), (1, "190100.0000".to_owned()));
    let own = exchange.send(&order(Side::Buy, "04", 1, 0), now);
    assert_eq!(exchange.outcome(own).0, 0);
    exchange.print_won(190_000, now);
    assert_eq!(exchange.outcome(own), (1, "190000.0000".to_owned()));
}

#[test]
fn a_market_order_slips_but_stays_in_the_band() {
    let fills = FillConfig {
        slippage_ticks: 3,
        ..instant_fills()
    };
    let (mut exchange, now) = (exchange(fills), Instant::now());
    exchange.print_won(190_100, now);
    let number = exchange.send(&order(Side::Sell, "01", 1, 0), now);
    // Bid 190,000 less three ticks of 100.
    assert_eq!(exchange.outcome(number), (1, "189700.0000".to_owned()));
    exchange.print_won(133_100, now);
    let number = exchange.send(&order(Side::Sell, "01", 1, 0), now);
    assert_eq!(exchange.outcome(number), (1, "133100.0000".to_owned()));
}

#[test]
fn a_conditional_limit_trades_at_the_close_whatever_its_limit() {
    let (mut exchange, now) = (exchange(instant_fills()), Instant::now());
    exchange.print_won(190_000, now);
    let conditional = exchange.send(&order(Side::Sell, "02", 1, 200_000), now);
    let plain = exchange.send(&order(Side::Sell, "00", 1, 200_000), now);
    exchange.turn(now, moment(at(15, 20), Session::ClosingAuction));
    let late = exchange.send(&order(Side::Sell, "01", 1, 0), now);
    assert_eq!(exchange.outcome(late).0, 0);
    exchange.turn(now, moment(at(15, 30), Session::PostClose));
    for number in [conditional, late] {
        assert_eq!(exchange.outcome(number), (1, "190000.0000".to_owned()));
    }
    assert_eq!(exchange.outcome(plain).0, 0);
    assert_eq!(
        (
            exchange.orders[&plain].status,
            exchange.orders[&plain].remaining()
        ),
        (Status::Done, 0)
    );
    let at_close = exchange.send(&order(Side::Sell, "06", 2, 0), now);
    assert_eq!(exchange.outcome(at_close), (2, "190000.0000".to_owned()));
}

#[test]
fn a_fill_wins_the_race_against_a_cancel() {
    let fills = FillConfig {
        latency: Duration::from_millis(5),
        ..FillConfig::default()
    };
    let (mut exchange, now) = (exchange(fills), Instant::now());
    let number = exchange
        .accept(&order(Side::Buy, "00", 1, 180_000), now)
        .unwrap()
        .number;
    let working = now + Duration::from_millis(5);
    exchange.turn(working, exchange.moment);
    let cancel = exchange.amend_all(Class::Cancel, number, 0, working);
    exchange.print_won(179_900, working);
    exchange.take_outputs();
    exchange.turn(working + Duration::from_millis(5), exchange.moment);
    assert_eq!(exchange.outcome(number), (1, "180000.0000".to_owned()));
    assert_eq!(exchange.orders[&cancel].rejected, 1);
    let outputs = exchange.take_outputs();
    let [Output::Notice(notice)] = outputs.as_slice() else {
        panic!("{outputs:?}")
    };
    let fields: Vec<_> = notice.text.split('^').collect();
    assert_eq!((fields[5], fields[12], fields[16]), ("2", "1", "000000001"));
}

#[test]
fn a_replacement_beyond_the_cash_is_refused_and_leaves_the_original() {
    let (mut exchange, now) = (exchange(instant_fills()), Instant::now());
    let number = exchange.send(&order(Side::Buy, "00", 52, 180_000), now);
    let replaced = exchange.amend_all(Class::Replace, number, 195_000, now);
    exchange.turn(now, exchange.moment);
    assert_eq!(exchange.orders[&replaced].rejected, 52);
    assert_eq!(exchange.orders[&number].remaining(), 52);
    let replaced = exchange.amend_all(Class::Replace, number, 181_000, now);
    exchange.turn(now, exchange.moment);
    assert_eq!(exchange.orders[&replaced].remaining(), 52);
    assert_eq!(exchange.orders[&number].remaining(), 0);
}

#[test]
fn a_new_date_settles_and_starts_from_the_last_price() {
    let (mut exchange, now) = (exchange(instant_fills()), Instant::now());
    exchange.print_won(191_000, now);
    exchange.send(&order(Side::Sell, "01", 100, 0), now);
    let settled = exchange.accounts[0].books.settled();
    let tomorrow = date(2026, 11, 17).at(10, 0, 0, 0);
    exchange.turn(now, moment(tomorrow, Session::Regular));
    let books = &exchange.accounts[0].books;
    assert_eq!(
        (books.deposit, books.settled(), books.costs),
        (settled, settled, Money::ZERO)
    );
    assert!(books.holdings.is_empty());
    let issue = &exchange.issues[SAMSUNG];
    assert_eq!(
        (issue.prev_close, issue.prev_volume),
        (Price::from_won(191_000), 1)
    );
    assert_eq!(issue.day, crate::issue::Day::default());
    assert_eq!(
        exchange.closed_days(SAMSUNG)[0].close,
        Price::from_won(191_000)
    );
    let again = exchange.accept(&order(Side::Sell, "01", 1, 0), now);
    assert_eq!(again, Err(Reject::Holding));
}

#[test]
fn partial_fills_add_up() {
    let fills = FillConfig {
        partial_chance_pct: 80,
        chunk_max: 30,
        ..instant_fills()
    };
    let (mut exchange, mut now) = (exchange(fills), Instant::now());
    exchange.print_won(190_000, now);
    let number = exchange.send(&order(Side::Sell, "01", 100, 0), now);
    while exchange.orders[&number].remaining() > 0 {
        now = exchange.next_due().expect("the remainder tries again");
        exchange.turn(now, exchange.moment);
    }
    let fills = exchange.take_outputs().len() - 1;
    assert!(fills > 4, "{fills}");
    assert_eq!(exchange.outcome(number), (100, "190000.0000".to_owned()));
}

/// One step of a random history.
#[derive(Clone, Debug)]
enum Step {
    Print(i64),
    Order {
        is_buy: bool,
        code: usize,
        quantity: i64,
        ticks: i64,
    },
    Amend {
        is_cancel: bool,
        back: u64,
        quantity: Option<i64>,
        ticks: i64,
    },
    Wait(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let ticks = -30_i64..30;
    prop::collection::vec(
        prop_oneof![
            3 => ticks.clone().prop_map(Step::Print),
            3 => (any::<bool>(), 0_usize..9, 1_i64..60, ticks.clone()).prop_map(
                |(is_buy, code, quantity, ticks)| Step::Order { is_buy, code, quantity, ticks }
            ),
            2 => (any::<bool>(), 0_u64..6, prop::option::of(1_i64..60), ticks).prop_map(
                |(is_cancel, back, quantity, ticks)| Step::Amend { is_cancel, back, quantity, ticks }
            ),
            2 => (0_u64..30).prop_map(Step::Wait),
        ],
        1..120,
    )
}

/// Price some ticks away from the previous close.
fn price_at(ticks: i64) -> Price {
    Price::from_won(190_000 + ticks * 100)
}

fn run(exchange: &mut Exchange, step: &Step, now: Instant) -> Instant {
    const CODES: [&str; 9] = ["00", "01", "02", "03", "04", "11", "12", "13", "15"];
    match *step {
        Step::Print(ticks) => exchange.print_won(190_000 + ticks * 100, now),
        Step::Order {
            is_buy,
            code,
            quantity,
            ticks,
        } => {
            let side = if is_buy { Side::Buy } else { Side::Sell };
            let mut order = order(side, CODES[code], quantity, 0);
            order.price = price_at(ticks);
            // A refusal is an outcome like any other.
            drop(exchange.accept(&order, now));
        }
        Step::Amend {
            is_cancel,
            back,
            quantity,
            ticks,
        } => {
            let newest = exchange.orders.keys().next_back().copied().unwrap_or(0);
            let change = Amendment {
                account: 0,
                class: if is_cancel {
                    Class::Cancel
                } else {
                    Class::Replace
                },
                original: newest.saturating_sub(back),
                quantity,
                order_type: OrderType::by_code("00").unwrap(),
                price: price_at(ticks),
            };
            drop(exchange.amend(&change, now));
        }
        Step::Wait(ms) => {
            let later = now + Duration::from_millis(ms);
            exchange.turn(later, exchange.moment);
            return later;
        }
    }
    now
}

proptest! {
    #[test]
    fn books_hold_whatever_happens(steps in steps()) {
        let fills = FillConfig { partial_chance_pct: 30, chunk_max: 20, ..FillConfig::default() };
        let (mut exchange, mut now) = (exchange(fills), Instant::now());
        for step in &steps {
            now = run(&mut exchange, step, now);
            let sum = |side: Side| -> i64 {
                let orders = exchange.orders.values();
                orders.filter(|order| order.side == side).map(|order| order.filled).sum()
            };
            let books = &exchange.accounts[0].books;
            let held = books.holdings["005930"].quantity;
            prop_assert_eq!(held, 100 + sum(Side::Buy) - sum(Side::Sell));
            prop_assert!(exchange.sellable(0, SAMSUNG) >= 0, "sold more than is held");
            prop_assert!(exchange.free_cash(0) >= Money::ZERO, "spent more than there is");
            let costs: Money = exchange.orders.values().map(|order| order.costs).sum();
            prop_assert_eq!(books.costs, costs);
            for order in exchange.orders.values() {
                let used = order.filled + order.cancelled + order.moved + order.rejected;
                prop_assert!(used <= order.quantity, "{order:?}");
                let is_live = exchange.live[SAMSUNG].contains(&order.number);
                prop_assert_eq!(is_live, order.remaining() > 0, "{:?}", order);
                if order.limit.is_some() && order.filled > 0 {
                    let most = order.limit.times(order.filled);
                    let is_within = match order.side {
                        Side::Buy => order.filled_value <= most,
                        Side::Sell => order.filled_value >= most,
                    };
                    prop_assert!(is_within);
                }
            }
        }
    }

    #[test]
    fn a_loaded_exchange_goes_on_where_it_was(steps in steps()) {
        let (mut exchange, mut now) = (exchange(FillConfig::default()), Instant::now());
        for step in &steps {
            now = run(&mut exchange, step, now);
        }
        let mut loaded = self::exchange(FillConfig::default());
        let text = serde_json::to_vec(&exchange.save()).unwrap();
        loaded.load(serde_json::from_slice(&text).unwrap(), now);
        let shown = |exchange: &Exchange| serde_json::to_value(exchange.save()).unwrap();
        prop_assert_eq!(shown(&loaded), shown(&exchange));
        prop_assert_eq!(loaded.free_cash(0), exchange.free_cash(0));
        prop_assert_eq!(loaded.sellable(0, SAMSUNG), exchange.sellable(0, SAMSUNG));
    }
}
