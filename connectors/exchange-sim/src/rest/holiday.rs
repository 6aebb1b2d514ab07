//! The calendar (KIS Open API, chk-holiday). An always open market is open on every day but those
//! announced as closed.

use jiff::{
    ToSpan,
    civil::{Date, Weekday},
};

use super::{
    answer::{Answer, GOES_ON, Object, Value, text},
    call::Call,
};
use crate::shared::Shared;

/// Days of an answer.
const DAYS: usize = 24;

pub(super) fn holidays(shared: &Shared, call: &Call, _account: usize) -> Answer {
    let bad = || Answer::refusal("OPSQ2001", "ERROR : INPUT FIELD [BASS_DT]");
    let read = |text: &str| Date::strptime("%Y%m%d", text.trim_end());
    let Ok(base) = read(call.param("BASS_DT")) else {
        return bad();
    };
    let known = read(call.param("CTX_AREA_NK")).ok();
    let next = known.and_then(|last| last.checked_add(1.day()).ok());
    let first = next
        .filter(|_| call.header("tr_cont") == Some("N"))
        .unwrap_or(base);
    let days: Vec<Date> = first.series(1.day()).take(DAYS).collect();
    let Some(last) = days.last() else {
        return bad();
    };
    let rows = days
        .iter()
        .map(|day| row(*day, shared.clock.is_told_open(*day)))
        .collect();
    let mut fields = Object::default();
    fields.push(
        "ctx_area_nk",
        format!("{:<20}", last.strftime("%Y%m%d").to_string()),
    );
    fields.push(
        "ctx_area_fk",
        format!("{:<20}", base.strftime("%Y%m%d").to_string()),
    );
    fields.push("output", Value::Rows(rows));
    Answer {
        tr_cont: "M",
        ..Answer::success(fields, "KIOK0500", GOES_ON)
    }
}

fn row(day: Date, is_open: bool) -> Object {
    let weekday = match day.weekday() {
        Weekday::Sunday => "01",
        Weekday::Monday => "02",
        Weekday::Tuesday => "03",
        Weekday::Wednesday => "04",
        Weekday::Thursday => "05",
        Weekday::Friday => "06",
        Weekday::Saturday => "07",
    };
    let flag = if is_open { "Y" } else { "N" };
    Object::from([
        ("bass_dt", text(day.strftime("%Y%m%d"))),
        ("wday_dvsn_cd", weekday.into()),
        ("bzdy_yn", flag.into()),
        ("tr_day_yn", flag.into()),
        ("opnd_yn", flag.into()),
        ("sttl_day_yn", flag.into()),
    ])
}
