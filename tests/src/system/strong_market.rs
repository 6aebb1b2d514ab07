//! A market in which the strategy finds every name strong.

use super::System;

/// 130 weekdays that end at a day: a slow rise with some noise.
const BARS: &str = "INSERT INTO market.daily_bars
        (symbol, trade_date, open, high, low, close, volume, value, market_cap, source)
    SELECT $1, day, close, close + 100, close - 100, close, 1000000, close * 1000000,
        close * 10000000, 'IMPORT'
    FROM (SELECT day, round($3::bigint * (1 - 0.002 * (n - 1) + 0.004 * (n % 2)))::bigint AS close FROM (
        SELECT day::date AS day, row_number() OVER (ORDER BY day DESC) AS n
        FROM generate_series($2::text::date - 260, $2::text::date, interval '1 day') day
        WHERE extract(isodow FROM day) < 6) days WHERE n <= 130) bars";
const FUNDAMENTALS: &str = "INSERT INTO market.fundamentals
        (symbol, report_date, per, pbr, psr, roe, debt_ratio, source)
    VALUES ($1, $2::text::date - 30, 6, 0.6, 0.4, 0.19, 0.4, 'IMPORT')";
const FLOWS: &str = "INSERT INTO market.investor_flows
        (symbol, trade_date, foreign_net, institution_net, individual_net, source)
    SELECT $1, trade_date, 200000, 150000, -350000, 'IMPORT' FROM market.daily_bars
    WHERE symbol = $1 ORDER BY trade_date DESC LIMIT 20";

impl System {
    /// Gives `names` the bars, figures and flows of strong companies, up to `day` and a close of `close`
    /// KRW.
    ///
    /// # Panics
    /// If the database refuses.
    pub async fn strong_market(&self, names: &[&str], day: &str, close: i64) {
        for name in names {
            self.execute(BARS, &[name, &day, &close]).await;
            self.execute(FUNDAMENTALS, &[name, &day]).await;
            self.execute(FLOWS, &[name]).await;
        }
    }
}
