//! The one shape of every successful answer.

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
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
#[derive(Debug, Serialize, ToSchema)]
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
        let next_cursor = listed.next.map(|cursor| cursor.to_string());
        let pagination = Some(Pagination {
            limit: listed.limit,
            next_cursor,
        });
        Self {
            pagination,
            ..Self::one(listed.items)
        }
    }
}

impl<T: Serialize> IntoResponse for Success<T> {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}
