//! The formats of points in time in conditions.

use jiff::Timestamp;

/// Reads `2026-01-31T12:00:00Z`, also with a fraction or an offset, a day or a month in UTC, or the
/// seconds since 1970.
///
/// A year alone is not read, because it looks like a number of seconds.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    if let Ok(seconds) = text.parse::<i64>() {
        return (text.len() != 4).then(|| Timestamp::from_second(seconds).ok()).flatten();
    }
    if text.contains('T') {
        return text.parse().ok().or_else(|| with_seconds(text)?.parse().ok());
    }
    let day = if text.len() == 7 { format!("{text}-01") } else { text.to_owned() };
    format!("{day}T00:00:00Z").parse().ok()
}

/// Adds the seconds, which W3C's profile of ISO 8601 may omit before `Z` or an offset.
fn with_seconds(text: &str) -> Option<String> {
    let (minutes, zone) = text.split_at_checked("2026-01-31T12:00".len())?;
    zone.starts_with(['Z', '+', '-']).then(|| format!("{minutes}:00{zone}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn date_formats_are_parsed() {
        for (text, expected) in [
            ("2026-01-31T12:00:00Z", Some("2026-01-31T12:00:00Z")),
            ("2026-01-31T12:00:00.5Z", Some("2026-01-31T12:00:00.5Z")),
            ("2026-01-31T12:00:00+01:00", Some("2026-01-31T11:00:00Z")),
            ("2026-01-31T12:00Z", Some("2026-01-31T12:00:00Z")),
            ("2026-01-31T12:00-02:30", Some("2026-01-31T14:30:00Z")),
            ("2026-01-31", Some("2026-01-31T00:00:00Z")),
            ("2026-02", Some("2026-02-01T00:00:00Z")),
            ("1769860800", Some("2026-01-31T12:00:00Z")),
            ("-1", Some("1969-12-31T23:59:59Z")),
            ("2026", None),
            ("2026-01-31T12:00:00", None),
            ("2026-02-30", None),
            ("99999999999999999", None),
            ("soon", None),
            ("T", None),
            ("2026-01-31T12:0é", None),
            ("", None),
        ] {
            assert_eq!(parse(text).map(|at| at.to_string()).as_deref(), expected, "{text}");
        }
    }
}
