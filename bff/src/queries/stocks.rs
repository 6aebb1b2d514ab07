//! Stocks, each with its newest price.

use tokio_postgres::Row;
use turnstile_connectors::postgres::Postgres;

use crate::api::stocks::{LastPrice, Stock};
use crate::cursor::NameCursor;
use crate::envelope::Listed;
use crate::extract::Page;
use crate::queries::{QueryError, listed};

/// Which stocks are listed. What is absent narrows nothing.
pub(crate) struct Filter {
    pub(crate) market: Option<&'static str>,
    /// Part of code or name, in whichever case.
    pub(crate) search: Option<String>,
    pub(crate) is_tradable: Option<bool>,
}

/// Columns of [`last_price`].
pub(crate) const PRICE_COLUMNS: &str =
    "price.last_price, price.change_price, price.change_rate, price.ts AS price_ts";
/// Joins the newest price to each row of `chosen`, by its column `symbol`.
pub(crate) const PRICE_JOIN: &str = "LEFT JOIN LATERAL (
        SELECT last_price, change_price, change_rate, ts FROM market.prices
        WHERE symbol = chosen.symbol ORDER BY logical_us DESC LIMIT 1
    ) AS price ON true";

/// A text is looked for as it is, letter for letter: LIKE would take some of them for others.
const LIST: &str = "SELECT * FROM market.stocks
    WHERE symbol COLLATE \"C\" > $1
        AND ($3::text IS NULL OR market = $3)
        AND ($4::boolean IS NULL OR is_tradable = $4)
        AND ($5::text IS NULL OR strpos(lower(symbol), lower($5)) > 0 OR strpos(lower(name), lower($5)) > 0)
    ORDER BY symbol COLLATE \"C\" LIMIT $2";
const SEARCH: &str = "SELECT *, CASE
            WHEN lower(symbol) = lower($1) THEN 1
            WHEN lower(name) = lower($1) THEN 2
            WHEN starts_with(lower(symbol), lower($1)) OR starts_with(lower(name), lower($1)) THEN 3
            ELSE 4 END AS place
    FROM market.stocks
    WHERE strpos(lower(symbol), lower($1)) > 0 OR strpos(lower(name), lower($1)) > 0
    ORDER BY place, symbol COLLATE \"C\" LIMIT $2";
const ONE: &str = "SELECT * FROM market.stocks WHERE symbol = $1";

/// Returns the statement of the stocks `chosen`, with their prices, in the order of `by`.
fn priced(chosen: &str, by: &str) -> String {
    format!(
        "SELECT chosen.*, chosen.listing_date::text AS listed_on,
             chosen.delisting_date::text AS delisted_on, chosen.checked_on::text AS asked_on,
             {PRICE_COLUMNS}
         FROM ({chosen}) AS chosen {PRICE_JOIN} ORDER BY {by}"
    )
}

/// Returns a page of stocks, by symbol in the order of bytes.
pub(crate) async fn list(
    db: &Postgres,
    filter: &Filter,
    page: Page<NameCursor>,
) -> Result<Listed<Stock, NameCursor>, QueryError> {
    let client = db.client().await?;
    let query = priced(LIST, "symbol COLLATE \"C\"");
    let statement = client.prepare_cached(&query).await?;
    let Filter {
        market,
        search,
        is_tradable,
    } = filter;
    let rows = client
        .query(
            &statement,
            &[
                &page.below.0,
                &(page.limit + 1),
                market,
                is_tradable,
                search,
            ],
        )
        .await?;
    let key = |row: &Row| Ok(NameCursor(row.try_get("symbol")?));
    listed(&rows, &page, key, stock)
}

/// Returns at most `limit` stocks with `text` in code or name, the best match first.
pub(crate) async fn search(
    db: &Postgres,
    text: &str,
    limit: i64,
) -> Result<Vec<Stock>, QueryError> {
    let client = db.client().await?;
    let query = priced(SEARCH, "place, symbol COLLATE \"C\"");
    let statement = client.prepare_cached(&query).await?;
    let rows = client.query(&statement, &[&text, &limit]).await?;
    Ok(rows.iter().map(stock).collect::<Result<_, _>>()?)
}

/// Returns the stock `symbol`.
pub(crate) async fn one(db: &Postgres, symbol: &str) -> Result<Option<Stock>, QueryError> {
    let client = db.client().await?;
    let statement = client.prepare_cached(&priced(ONE, "symbol")).await?;
    let row = client.query_opt(&statement, &[&symbol]).await?;
    Ok(row.as_ref().map(stock).transpose()?)
}

/// Reads the newest price of a row that [`PRICE_JOIN`] is joined to.
pub(crate) fn last_price(row: &Row) -> Result<LastPrice, tokio_postgres::Error> {
    Ok(LastPrice {
        last_price: row.try_get("last_price")?,
        change_price: row.try_get("change_price")?,
        change_rate: row.try_get("change_rate")?,
        price_ts: row.try_get("price_ts")?,
    })
}

fn stock(row: &Row) -> Result<Stock, tokio_postgres::Error> {
    Ok(Stock {
        symbol: row.try_get("symbol")?,
        name: row.try_get("name")?,
        market: row.try_get("market")?,
        segment: row.try_get("segment")?,
        instrument_type: row.try_get("instrument_type")?,
        status: row.try_get("status")?,
        listing_date: row.try_get("listed_on")?,
        delisting_date: row.try_get("delisted_on")?,
        sector: row.try_get("sector")?,
        industry: row.try_get("industry")?,
        market_cap: row.try_get("market_cap")?,
        listed_shares: row.try_get("listed_shares")?,
        is_tradable: row.try_get("is_tradable")?,
        is_managed: row.try_get("is_managed")?,
        is_caution: row.try_get("is_caution")?,
        trade_halt_reason: row.try_get("trade_halt_reason")?,
        is_nxt_tradable: row.try_get("is_nxt_tradable")?,
        is_nxt_stopped: row.try_get("is_nxt_stopped")?,
        checked_on: row.try_get("asked_on")?,
        checked_ts: row.try_get("checked_ts")?,
        created_ts: row.try_get("created_ts")?,
        updated_ts: row.try_get("updated_ts")?,
        price: last_price(row)?,
    })
}
