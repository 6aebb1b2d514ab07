//! Times as the web app sees them: RFC 3339 in Seoul time.

use std::error::Error;
use std::time::SystemTime;

use jiff::civil::Date;
use jiff::tz::{Offset, offset};
use jiff::{SignedDuration, Timestamp};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, private::BytesMut, to_sql_checked};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type as SchemaType,
};
use utoipa::{PartialSchema, ToSchema};

/// Korea keeps UTC+9 all year round.
const SEOUL: Offset = offset(9);

/// A point in time, exact to the microsecond, written as RFC 3339 with offset `+09:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SeoulTime(Timestamp);

impl SeoulTime {
    /// Returns the present. The one place where this crate reads the clock.
    pub(crate) fn now() -> Self {
        Self(Timestamp::now())
    }

    /// Returns the time `micros` after the Unix epoch, if it is a time of the years until 9999.
    pub(crate) fn from_micros(micros: i64) -> Option<Self> {
        Timestamp::from_microsecond(micros).ok().map(Self)
    }

    /// Returns the instant.
    pub(crate) fn timestamp(self) -> Timestamp {
        self.0
    }

    /// Returns the microseconds since the Unix epoch.
    pub(crate) fn micros(self) -> i64 {
        self.0.as_microsecond()
    }

    /// Returns the date in Seoul.
    pub(crate) fn date(self) -> Date {
        SEOUL.to_datetime(self.0).date()
    }

    /// Returns the time that has passed since `earlier`.
    pub(crate) fn since(self, earlier: Self) -> SignedDuration {
        self.0.duration_since(earlier.0)
    }
}

impl Serialize for SeoulTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.display_with_offset(SEOUL))
    }
}

impl<'de> Deserialize<'de> for SeoulTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(|error| {
            D::Error::custom(format!("RFC 3339 time expected, was \"{text}\": {error}"))
        })
    }
}

impl<'a> FromSql<'a> for SeoulTime {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(Timestamp::try_from(SystemTime::from_sql(ty, raw)?)?))
    }

    fn accepts(ty: &Type) -> bool {
        <SystemTime as FromSql>::accepts(ty)
    }
}

impl ToSql for SeoulTime {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        SystemTime::from(self.0).to_sql(ty, out)
    }

    fn accepts(ty: &Type) -> bool {
        <SystemTime as ToSql>::accepts(ty)
    }

    to_sql_checked!();
}

impl PartialSchema for SeoulTime {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .into()
    }
}

impl ToSchema for SeoulTime {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_seoul_time() {
        let time = SeoulTime::from_micros(1_764_000_000_123_456).unwrap();
        let json = serde_json::to_string(&time).unwrap();
        assert_eq!(json, "\"2025-11-25T01:00:00.123456+09:00\"");
        assert_eq!(serde_json::from_str::<SeoulTime>(&json).unwrap(), time);
        assert!(serde_json::from_str::<SeoulTime>("\"yesterday\"").is_err());
    }
}
