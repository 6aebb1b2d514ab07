//! Performance: what an account has earned, in figures and day by day.

use axum::extract::State;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Serialize;
use turnstile_dataflows::model::Symbol;
use utoipa::ToSchema;

use crate::api::exit_rules::NAME_LENGTH_MAX;
use crate::envelope::Success;
use crate::error::{ApiError, Failure};
use crate::extract::Params;
use crate::number::Number;
use crate::performance::{
    Comparison, DayReturn, HistoryDay, Outcomes, Period, Statistics, Tally, history,
};
use crate::queries;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// The index fund that an account is set beside unless the client says otherwise: KODEX 200.
const BENCHMARK: &str = "069500";

/// Whose performance is asked for, and since when.
pub(crate) struct Scope {
    /// None: the account that is asked for by default.
    account_id: Option<String>,
    period: Period,
    /// First day, inclusive.
    pub(crate) since: Date,
}

impl Scope {
    /// Takes `account_id` and `period`.
    pub(crate) fn take(params: &mut Params) -> Self {
        let period: Period = params.parsed("period").unwrap_or_default();
        Self {
            account_id: params.text("account_id", NAME_LENGTH_MAX),
            period,
            since: period.since(SeoulTime::now().date()),
        }
    }

    /// Returns the account that is meant; none while nothing is known of any.
    pub(crate) async fn account(&self, state: &AppState) -> Result<Option<String>, ApiError> {
        let named = self.account_id.clone();
        Ok(queries::performance::account(&state.db, named).await?)
    }
}

/// What an account has earned in a period. Ratios are ratios, 0.05 is 5 %; amounts are in KRW.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Performance {
    /// None while nothing is known of any account.
    pub(crate) account_id: Option<String>,
    /// 1M, 3M, 6M, 1Y, YTD or ALL.
    pub(crate) period: String,
    /// The first day that has a return.
    pub(crate) from: Option<String>,
    /// The last day that has a return.
    pub(crate) to: Option<String>,
    /// Days with a return. 0: there is nothing to say yet.
    pub(crate) days: usize,
    /// The last equity of the period.
    pub(crate) equity: Option<Number>,
    /// Paid in during the period; below 0: out.
    pub(crate) flows: Number,
    /// Results of the positions that were closed in the period, net of fee and tax.
    pub(crate) realized_pnl: Number,
    /// Null without a day.
    pub(crate) returns: Option<Returns>,
    /// Null without a day of which the benchmark has a return, too.
    pub(crate) benchmark: Option<Benchmark>,
    /// Null without a closed position.
    pub(crate) trades: Option<TradeOutcomes>,
}

/// Figures of the days.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Returns {
    /// Π(1+r)−1.
    pub(crate) total_return: Number,
    /// (1+total)^(252/n)−1.
    pub(crate) annual_return: Number,
    /// Sample standard deviation of r × √252.
    pub(crate) volatility: Number,
    /// (annual − 3 %) ÷ volatility.
    pub(crate) sharpe: Number,
    /// (annual − 3 %) ÷ (root mean square of the days below 0 × √252).
    pub(crate) sortino: Number,
    /// The deepest fall below a best day before, from −1 to 0.
    pub(crate) max_drawdown: Number,
    /// Value at risk of a day, 95 %, historical: the loss above 0.
    pub(crate) var_95: Number,
    /// Mean of the losses from the value at risk on.
    pub(crate) cvar_95: Number,
    /// Days above 0 of all, 0 to 1.
    pub(crate) win_rate: Number,
    /// Sum of the days above 0 ÷ that of those below; 999.99 without one below.
    pub(crate) profit_factor: Number,
    /// Mean of the days above 0.
    pub(crate) average_win: Number,
    /// Mean of the days below 0, at most 0.
    pub(crate) average_loss: Number,
}

/// The account beside an index fund, over the days of which both have a return.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Benchmark {
    pub(crate) symbol: String,
    /// How many days that are.
    pub(crate) days: usize,
    /// Of the benchmark.
    pub(crate) total_return: Number,
    /// Total return of the account − that of the benchmark.
    pub(crate) alpha: Number,
    /// Covariance ÷ variance of the benchmark.
    pub(crate) beta: Number,
}

/// Outcomes of the positions that were closed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TradeOutcomes {
    /// How many.
    pub(crate) trades: usize,
    /// Those above 0 of all, 0 to 1.
    pub(crate) win_rate: Number,
    /// Sum of the wins ÷ that of the losses; 999.99 without a loss.
    pub(crate) profit_factor: Number,
    /// Mean of the wins, KRW.
    pub(crate) average_win: Number,
    /// Mean of the losses, KRW, at most 0.
    pub(crate) average_loss: Number,
}

/// A day of an account. Amounts in KRW.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PerformanceDay {
    /// Date in Seoul.
    pub(crate) day: String,
    /// The last one of the day; of today, the last so far. Null where the broker was not asked.
    pub(crate) equity: Option<Number>,
    /// Paid in on this day; below 0: out.
    pub(crate) flows: Number,
    /// (equity − flows since the session before − its equity) ÷ its equity. Null on a day without a
    /// session, and where the session before has no equity.
    #[serde(rename = "return")]
    pub(crate) earned: Option<Number>,
    /// Π(1+r)−1 from the beginning of the period to this day.
    pub(crate) cumulative_return: Number,
    /// Below the best day of the period so far, from −1 to 0.
    pub(crate) drawdown: Number,
    /// Results of the positions that were closed on this day, net of fee and tax.
    pub(crate) realized_pnl: Number,
}

/// What an account has earned. The benchmark is set beside it by its daily bars.
#[utoipa::path(
    get, path = "/api/v1/performance", tag = "performance",
    params(
        ("period" = Option<String>, Query, description = "1M, 3M (default), 6M, 1Y, YTD or ALL"),
        ("account_id" = Option<String>, Query, description = "default: the account whose equity was told last"),
        ("benchmark" = Option<String>, Query, description = "symbol of an index fund, default 069500"),
    ),
    responses(
        (status = 200, body = Success<Performance>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn figures(
    State(state): State<AppState>,
    mut params: Params,
) -> Result<Success<Performance>, ApiError> {
    let scope = Scope::take(&mut params);
    let named = params.parsed::<Symbol>("benchmark");
    params.finish()?;
    let benchmark = named.map_or_else(|| BENCHMARK.to_owned(), |symbol| symbol.to_string());
    let account = scope.account(&state).await?;
    let name = account.as_deref();
    let stored = queries::performance::days(&state.db, name, scope.since, &benchmark).await?;
    let results = queries::performance::results(&state.db, name, scope.since).await?;
    let days = history(stored);
    let returns: Vec<DayReturn> = days.iter().filter_map(|day| day.earned).collect();
    let pairs: Vec<_> = days
        .iter()
        .filter_map(|day| day.earned.zip(day.benchmark))
        .collect();
    let mut counted = days.iter().filter(|day| day.earned.is_some());
    let from = counted.next().map(|day| day.stored.date.clone());
    let to = counted.next_back().map(|day| day.stored.date.clone());
    let equity = days.iter().rev().find_map(|day| day.stored.equity);
    let flows: Decimal = days.iter().map(|day| day.stored.flows).sum();
    Ok(Success::one(Performance {
        account_id: account,
        period: scope.period.name().to_owned(),
        to: to.or_else(|| from.clone()),
        from,
        days: returns.len(),
        equity: equity.map(Number::from),
        flows: flows.into(),
        realized_pnl: results.sum,
        returns: Statistics::of(&returns).map(Returns::from),
        benchmark: Comparison::of(&pairs).map(|found| Benchmark::of(benchmark, &found)),
        trades: TradeOutcomes::of(&results.tally),
    }))
}

/// Days of an account in order: those on which its equity was told, money was paid in or out, or a position
/// was closed.
#[utoipa::path(
    get, path = "/api/v1/performance/daily", tag = "performance",
    params(
        ("period" = Option<String>, Query, description = "1M, 3M (default), 6M, 1Y, YTD or ALL"),
        ("account_id" = Option<String>, Query, description = "default: the account whose equity was told last"),
    ),
    responses(
        (status = 200, body = Success<Vec<PerformanceDay>>),
        (status = "4XX", body = Failure),
        (status = "5XX", body = Failure),
    ),
)]
pub(crate) async fn daily(
    State(state): State<AppState>,
    mut params: Params,
) -> Result<Success<Vec<PerformanceDay>>, ApiError> {
    let scope = Scope::take(&mut params);
    params.finish()?;
    let account = scope.account(&state).await?;
    let name = account.as_deref();
    let stored = queries::performance::days(&state.db, name, scope.since, BENCHMARK).await?;
    let days = history(stored).into_iter().map(PerformanceDay::from);
    Ok(Success::one(days.collect()))
}

impl From<Statistics> for Returns {
    fn from(found: Statistics) -> Self {
        Self {
            total_return: Number::of_figure(found.total),
            annual_return: Number::of_figure(found.annual),
            volatility: Number::of_figure(found.volatility),
            sharpe: Number::of_figure(found.sharpe),
            sortino: Number::of_figure(found.sortino),
            max_drawdown: Number::of_figure(found.max_drawdown),
            var_95: Number::of_figure(found.var_95),
            cvar_95: Number::of_figure(found.cvar_95),
            win_rate: Number::of_figure(found.outcomes.win_rate),
            profit_factor: Number::of_figure(found.outcomes.profit_factor),
            average_win: Number::of_figure(found.outcomes.average_win),
            average_loss: Number::of_figure(found.outcomes.average_loss),
        }
    }
}

impl Benchmark {
    fn of(symbol: String, found: &Comparison) -> Self {
        Self {
            symbol,
            days: found.days,
            total_return: Number::of_figure(found.benchmark),
            alpha: Number::of_figure(found.alpha),
            beta: Number::of_figure(found.beta),
        }
    }
}

impl TradeOutcomes {
    fn of(tally: &Tally) -> Option<Self> {
        let found = Outcomes::of(tally)?;
        Some(Self {
            trades: tally.all,
            win_rate: Number::of_figure(found.win_rate),
            profit_factor: Number::of_figure(found.profit_factor),
            average_win: Number::of_figure(found.average_win),
            average_loss: Number::of_figure(found.average_loss),
        })
    }
}

impl From<HistoryDay> for PerformanceDay {
    fn from(day: HistoryDay) -> Self {
        Self {
            day: day.stored.date,
            equity: day.stored.equity.map(Number::from),
            flows: day.stored.flows.into(),
            earned: day.earned.map(|earned| Number::of_figure(earned.ratio())),
            cumulative_return: Number::of_figure(day.cumulative),
            drawdown: Number::of_figure(day.drawdown),
            realized_pnl: day.stored.realized.into(),
        }
    }
}
