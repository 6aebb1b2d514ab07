//! The one shape of every successful answer.

use std::sync::Arc;

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use utoipa::ToSchema;

use crate::cursor::Cursor;
use crate::request;
use crate::seoul::SeoulTime;

/// A successful answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Success<T> {
    /// What was asked for.
    data: T,
    /// About the answer itself.
    meta: Meta,
    /// Present with lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pagination: Option<Pagination>,
}

/// About an answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Meta {
    /// Same as the header `x-request-id`.
    request_id: String,
    /// When the answer was made.
    timestamp: SeoulTime,
}

/// Where a list goes on.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Pagination {
    /// Largest number of rows in this answer.
    limit: i64,
    /// Value for `cursor` that gives the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Rows of a list, and where it goes on.
pub(crate) struct Listed<T, C> {
    /// The rows, newest first.
    pub(crate) items: Vec<T>,
    /// Key of the last row, if there are more.
    pub(crate) next: Option<C>,
    /// What was asked for.
    pub(crate) limit: i64,
}

impl<T> Success<T> {
    /// Wraps one value.
    pub(crate) fn one(data: T) -> Self {
        let meta = Meta {
            request_id: request::current_id(),
            timestamp: SeoulTime::now(),
        };
        Self {
            data,
            meta,
            pagination: None,
        }
    }
}

impl<T> Success<Vec<T>> {
    /// Wraps a page of a list.
    pub(crate) fn page<C: Cursor>(listed: Listed<T, C>) -> Self {
        Self {
            pagination: Some(Pagination::of(&listed)),
            ..Self::one(listed.items)
        }
    }
}

impl Pagination {
    fn of<T, C: Cursor>(listed: &Listed<T, C>) -> Self {
        Self {
            limit: listed.limit,
            next_cursor: listed.next.as_ref().map(C::to_string),
        }
    }
}

/// A page of a list that was written as JSON once for many answers.
#[derive(Clone, Debug)]
pub(crate) struct WrittenPage {
    rows: Arc<RawValue>,
    pagination: Pagination,
}

impl WrittenPage {
    /// Writes a page.
    ///
    /// # Errors
    /// If a row cannot be written.
    pub(crate) fn of<T: Serialize, C: Cursor>(
        listed: &Listed<T, C>,
    ) -> Result<Self, serde_json::Error> {
        Ok(Self {
            rows: to_raw_value(&listed.items)?.into(),
            pagination: Pagination::of(listed),
        })
    }
}

impl From<WrittenPage> for Success<Arc<RawValue>> {
    fn from(page: WrittenPage) -> Self {
        Self {
            pagination: Some(page.pagination),
            ..Self::one(page.rows)
        }
    }
}

impl<T: Serialize> IntoResponse for Success<T> {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}
