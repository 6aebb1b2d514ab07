//! Dates as PostgreSQL's binary format has them.

use std::error::Error;

use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

/// Days from 1970-01-01 to 2000-01-01, where PostgreSQL counts dates from.
const POSTGRES_EPOCH_DAY: i32 = 10_957;

/// A date: days since 2000-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Date(i32);

impl Date {
    /// Returns the date `day` days after 1970-01-01.
    pub(crate) fn of_day(day: u64) -> Self {
        let days = i32::try_from(day).unwrap_or(i32::MAX);
        Self(days.saturating_sub(POSTGRES_EPOCH_DAY))
    }
}

impl ToSql for Date {
    fn to_sql(
        &self,
        _ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(&self.0.to_be_bytes());
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::DATE
    }

    to_sql_checked!();
}
