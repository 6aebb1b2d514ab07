//! Pages of account queries (KIS Open API, pagination).
//!
//! A page names the last row that it holds in `ctx_area_nk100`; the next call copies both areas
//! verbatim, padding included, with the header `tr_cont: N`.

use super::{
    answer::{Answer, DONE, GOES_ON, Object, padded},
    call::Call,
};

/// Width of both areas.
const WIDTH: usize = 100;

/// One page of rows.
#[derive(Debug)]
pub(super) struct Page<T> {
    pub(super) rows: Vec<T>,
    key: String,
    area: String,
}

/// Cuts the page that `call` asks for out of `rows`. `area` is the search as the first area shows
/// it, `key_of` names a row.
///
/// # Errors
/// The answer to an area that was not copied verbatim.
pub(super) fn page<T>(
    call: &Call,
    rows: Vec<T>,
    size: usize,
    area: String,
    key_of: impl Fn(&T) -> String,
) -> Result<Page<T>, Answer> {
    let padded_area = format!("{area:<WIDTH$}");
    let mut rows: Vec<T> = rows;
    if call.header("tr_cont") == Some("N") {
        let (search, key) = (call.param("CTX_AREA_FK100"), call.param("CTX_AREA_NK100"));
        if key.len() != WIDTH || search.len() != WIDTH {
            return Err(Answer::refusal(
                "OPSQ2002",
                "ERROR : INPUT FIELD LENGTH [CTX_AREA]",
            ));
        }
        if search != padded_area {
            return Err(Answer::refusal(
                "OPSQ2001",
                "ERROR : INPUT FIELD [CTX_AREA_FK100]",
            ));
        }
        let known = rows.iter().position(|row| key_of(row) == key.trim_end());
        let start = known.map_or(rows.len(), |position| position + 1);
        rows.drain(..start);
    }
    let key = if rows.len() > size {
        rows.truncate(size);
        rows.last().map(&key_of).unwrap_or_default()
    } else {
        String::new()
    };
    Ok(Page {
        rows,
        key,
        area: padded_area,
    })
}

impl<T> Page<T> {
    /// Writes the answer: both areas, `outputs`, the envelope.
    pub(super) fn answer(&self, call: &Call, outputs: Object) -> Answer {
        let mut fields = Object::default();
        fields.push("ctx_area_fk100", self.area.clone());
        fields.push("ctx_area_nk100", format!("{:<WIDTH$}", self.key));
        fields.append(outputs);
        let is_next = call.header("tr_cont") == Some("N");
        if self.key.is_empty() {
            let answer = Answer::success(fields, "KIOK0510", &padded(DONE));
            Answer {
                tr_cont: if is_next { "E" } else { "D" },
                ..answer
            }
        } else {
            let answer = Answer::success(fields, "KIOK0500", GOES_ON);
            Answer {
                tr_cont: if is_next { "M" } else { "F" },
                ..answer
            }
        }
    }
}
