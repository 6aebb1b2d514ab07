//! Lists in pages.

use serde_json::{Map, Value};
use tracing::warn;

use super::{KisClient, Request};
use crate::kis::error::KisError;

/// Most pages that are followed: more rows than any account of ours can have in a day.
const PAGES_MAX: usize = 500;

/// Names of the page keys: in the query, and in the body in lower case.
pub(super) struct PageKeys {
    pub(super) first: &'static str,
    pub(super) next: &'static str,
}

/// Page keys of account queries.
pub(super) const ACCOUNT_KEYS: PageKeys = PageKeys {
    first: "CTX_AREA_FK100",
    next: "CTX_AREA_NK100",
};

/// What reading on should do after a page.
pub(super) enum Page {
    /// The page is read; go on if there are more.
    Read,
    /// The page is read, and what follows is not wanted.
    Enough,
    /// Rows of the page could not be read.
    Damaged,
}

impl KisClient {
    /// Reads every page of a list, giving each body to `each`. Returns whether the list is whole:
    /// all pages came, and all their rows could be read.
    ///
    /// # Errors
    /// If the first page does not come. If a later one does not, the list is not complete.
    pub(super) async fn pages(
        &self,
        mut request: Request,
        keys: PageKeys,
        mut each: impl FnMut(&Map<String, Value>) -> Page,
    ) -> Result<bool, KisError> {
        let place = request.tr.name();
        let base = request.fields.clone();
        let mut page_key = (String::new(), String::new());
        let mut whole = true;
        for page in 0..PAGES_MAX {
            request.next_page = page > 0;
            request.fields.clone_from(&base);
            request.fields.push((keys.first, page_key.0.clone()));
            request.fields.push((keys.next, page_key.1.clone()));
            let reply = match self.query(request.again()).await {
                Ok(reply) => reply,
                Err(error) if page == 0 => return Err(error),
                Err(error) => {
                    warn!(place, page, %error, "list is not complete");
                    return Ok(false);
                }
            };
            match each(&reply.body) {
                Page::Read => {}
                Page::Enough => return Ok(whole),
                Page::Damaged => whole = false,
            }
            if !reply.has_more {
                return Ok(whole);
            }
            let next = (
                verbatim(&reply.body, keys.first),
                verbatim(&reply.body, keys.next),
            );
            if next == page_key {
                warn!(
                    place,
                    page, "list is not complete: the broker repeats its page key"
                );
                return Ok(false);
            }
            page_key = next;
        }
        warn!(
            place,
            pages = PAGES_MAX,
            "list is not complete: it has too many pages"
        );
        Ok(false)
    }
}

impl Request {
    /// Returns the same request once more.
    fn again(&self) -> Self {
        Self {
            tr: self.tr,
            lane: self.lane,
            fields: self.fields.clone(),
            next_page: self.next_page,
        }
    }
}

/// Returns a page key exactly as the broker wrote it, trailing spaces included.
fn verbatim(body: &Map<String, Value>, key: &str) -> String {
    body.iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(key))
        .and_then(|(_, value)| value.as_str())
        .unwrap_or_default()
        .to_owned()
}
