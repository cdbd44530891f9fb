//! Claims, as a server finds, compares and prints them.

use crate::json::Json;

/// A claim by its name, or by a JSON pointer (RFC 6901) if the name begins with a slash; `None`
/// for `null`.
///
/// A server makes a list of a single audience, and drops the fraction of a number.
pub(crate) fn claim(claims: &Json, name: &str) -> Option<Json> {
    let value = match name.strip_prefix('/') {
        None => claims.get(name)?,
        Some(pointer) => pointer.split('/').try_fold(claims, |value, token| {
            let token = token.replace("~1", "/").replace("~0", "~");
            match value {
                // A server reads an empty index as 0.
                Json::Array(items) if token.is_empty() => items.first(),
                Json::Array(items) => items.get(token.parse::<usize>().ok()?),
                other => other.get(&token),
            }
        })?,
    };
    match value {
        Json::Scalar(text) if text == "null" => None,
        Json::Scalar(text) if is_number(value) => Some(Json::Scalar(whole(text).to_string())),
        Json::Scalar(_) if name == "aud" => Some(Json::Array(vec![value.clone()])),
        _ => Some(value.clone()),
    }
}

/// A number without its fraction. If it does not fit into 64 bits, it becomes `i64::MIN`, as in Go
/// on amd64.
pub(super) fn whole(number: &str) -> i64 {
    let number = number.parse::<f64>().unwrap_or(f64::MAX);
    // The cast is checked: 2^63 is exact in both types.
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
    if number >= i64::MIN as f64 && number < -(i64::MIN as f64) { number as i64 } else { i64::MIN }
}

pub(super) fn is_number(value: &Json) -> bool {
    matches!(value, Json::Scalar(text) if text.starts_with(|c: char| c == '-' || c.is_ascii_digit()))
}

/// The values to compare: one, or those of a list; `None` for an object and for `null`.
pub(super) fn values(value: &Json) -> Option<&[Json]> {
    match value {
        Json::Array(items) => Some(items),
        Json::Scalar(text) if text != "null" => Some(std::slice::from_ref(value)),
        _ => None,
    }
}

/// A value as messages show it: a string without its quotation marks.
pub(super) fn shown(value: &Json) -> String {
    value.as_str().unwrap_or_else(|| value.compact())
}

/// A value inside of another value, as Go prints it (`%v`).
pub(super) fn in_go(value: &Json) -> String {
    match value {
        Json::Scalar(text) if text == "null" => "<nil>".to_owned(),
        Json::Scalar(text) if is_number(value) => text.parse().map_or_else(|_| text.clone(), float_in_go),
        Json::Scalar(_) => shown(value),
        Json::Array(items) => format!("[{}]", items.iter().map(in_go).collect::<Vec<_>>().join(" ")),
        Json::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| name);
            let members: Vec<String> =
                members.iter().map(|(name, value)| format!("{name}:{}", in_go(value))).collect();
            format!("map[{}]", members.join(" "))
        }
    }
}

/// The shortest digits of the number, with an exponent of at least two digits below 1e-4 and from
/// 1e6 on.
fn float_in_go(number: f64) -> String {
    let text = format!("{number:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    match exponent.parse::<i32>().unwrap_or_default() {
        -4..6 => number.to_string(),
        exponent => format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs()),
    }
}
