//! How far clocks are apart, by the `Date` header of a reply.

use jiff::Timestamp;

use crate::time;

/// Up to this many seconds, a difference may be the time that the requests took.
const SKEW: i64 = 60;

/// How far clocks are ahead of AWS's, in seconds; none where that is not known or not worth a word.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Offsets {
    /// This machine's.
    pub(super) here: Option<i64>,
    /// The issuer's, which has just issued the token.
    pub(super) issuer: Option<i64>,
}

impl Offsets {
    /// `date` is AWS's time, `issued_at` the issuer's a moment before.
    pub(super) fn new(date: Option<Timestamp>, now: Timestamp, issued_at: Option<Timestamp>) -> Self {
        let offset = |of: Timestamp| {
            let seconds = of.as_second().saturating_sub(date?.as_second());
            (seconds.abs() > SKEW).then_some(seconds)
        };
        Self { here: offset(now), issuer: issued_at.and_then(offset) }
    }

    pub(super) fn lines(self) -> Vec<String> {
        let line = |who: &str, offset: Option<i64>| Some(format!("{who} is {}", describe(offset?)));
        [line("the issuer", self.issuer), line("this machine", self.here)].into_iter().flatten().collect()
    }
}

/// `2 h ahead of AWS`
pub(super) fn describe(offset: i64) -> String {
    let size = time::span(offset.unsigned_abs());
    format!("{size} {} AWS", if offset > 0 { "ahead of" } else { "behind" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_worth_a_word() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let date = Some(at(1_000_000));
        let cases = [
            (Offsets::new(date, at(1_000_050), Some(at(999_950))), vec![]),
            (Offsets::new(date, at(1_007_200), None), vec!["this machine is 2 h ahead of AWS"]),
            (
                Offsets::new(date, at(999_000), Some(at(992_800))),
                vec!["the issuer is 2 h behind AWS", "this machine is 16 min behind AWS"],
            ),
            (Offsets::new(None, at(0), Some(at(0))), vec![]),
        ];
        for (offsets, expected) in cases {
            assert_eq!(offsets.lines(), expected);
        }
    }
}
