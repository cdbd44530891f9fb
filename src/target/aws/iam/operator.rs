//! Condition operators: their names and their meaning.

use std::cmp::Ordering;
use std::fmt;

use serde::{Serialize, Serializer};

/// A condition operator, such as `ForAnyValue:StringLikeIfExists`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// As the policy writes it.
    name: String,
    /// How a list of values is compared.
    pub quantifier: Option<Quantifier>,
    /// What is compared, and how.
    pub test: Test,
    /// Whether a key that does not exist satisfies it.
    pub if_exists: bool,
}

/// How a list of values is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantifier {
    /// At least one of the request's values must match.
    ForAnyValue,
    /// All of the request's values must match. No values match too.
    ForAllValues,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Test {
    /// The operators on strings.
    Text {
        /// `*` and `?` are wildcards.
        like: bool,
        /// The comparison ignores case.
        ignore_case: bool,
        negated: bool,
    },
    /// `true` and `false`.
    Bool,
    /// Whether the key is there at all.
    Null,
    /// Points in time.
    Date {
        /// The required order of the request's time to the policy's time.
        order: Order,
        negated: bool,
    },
    /// Numbers, addresses, ARNs and bytes, which are not evaluated here.
    Other { negated: bool },
}

/// The order of a value of the request to a value of the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    /// Whether the result of a comparison fulfils this order.
    pub(super) fn is(self, found: Ordering) -> bool {
        match self {
            Self::Equal => found.is_eq(),
            Self::Less => found.is_lt(),
            Self::LessOrEqual => found.is_le(),
            Self::Greater => found.is_gt(),
            Self::GreaterOrEqual => found.is_ge(),
        }
    }
}

/// The operators that IAM has and that are not evaluated here.
const OTHER: [&str; 13] = [
    "ArnEquals",
    "ArnLike",
    "ArnNotEquals",
    "ArnNotLike",
    "BinaryEquals",
    "IpAddress",
    "NotIpAddress",
    "NumericEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericNotEquals",
];

impl Operator {
    /// Reads an operator; `None` if IAM has none of this name.
    pub fn parse(name: &str) -> Option<Self> {
        let (quantifier, rest) = match name.split_once(':') {
            None => (None, name),
            Some((word, rest)) if word.eq_ignore_ascii_case("ForAnyValue") => {
                (Some(Quantifier::ForAnyValue), rest)
            }
            Some((word, rest)) if word.eq_ignore_ascii_case("ForAllValues") => {
                (Some(Quantifier::ForAllValues), rest)
            }
            Some(_) => return None,
        };
        let lower = rest.to_ascii_lowercase();
        let (base, if_exists) = lower.strip_suffix("ifexists").map_or((&*lower, false), |base| (base, true));
        let string = |like, ignore_case, negated| Test::Text { like, ignore_case, negated };
        let date = |order, negated| Test::Date { order, negated };
        let test = match base {
            "stringequals" => string(false, false, false),
            "stringnotequals" => string(false, false, true),
            "stringequalsignorecase" => string(false, true, false),
            "stringnotequalsignorecase" => string(false, true, true),
            "stringlike" => string(true, false, false),
            "stringnotlike" => string(true, false, true),
            "bool" => Test::Bool,
            "dateequals" => date(Order::Equal, false),
            "datenotequals" => date(Order::Equal, true),
            "datelessthan" => date(Order::Less, false),
            "datelessthanequals" => date(Order::LessOrEqual, false),
            "dategreaterthan" => date(Order::Greater, false),
            "dategreaterthanequals" => date(Order::GreaterOrEqual, false),
            // `Null` already checks whether the key exists, so IAM has no `NullIfExists`.
            "null" if !if_exists => Test::Null,
            _ if OTHER.iter().any(|other| other.eq_ignore_ascii_case(base)) => {
                Test::Other { negated: base.contains("not") }
            }
            _ => return None,
        };
        Some(Self { name: name.to_owned(), quantifier, test, if_exists })
    }

    /// Whether the operator is negated. A missing key then satisfies the condition, because no value equals an excluded
    /// value.
    pub fn negated(&self) -> bool {
        matches!(
            self.test,
            Test::Text { negated: true, .. }
                | Test::Date { negated: true, .. }
                | Test::Other { negated: true }
        )
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Serialize for Operator {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let any = Some(Quantifier::ForAnyValue);
        let all = Some(Quantifier::ForAllValues);
        let like = Test::Text { like: true, ignore_case: false, negated: false };
        let cases = [
            ("StringLike", Some((None, like, false))),
            ("ForAnyValue:StringLike", Some((any, like, false))),
            ("ForAllValues:StringLikeIfExists", Some((all, like, true))),
            ("forallvalues:stringlikeifexists", Some((all, like, true))),
            (
                "StringNotEqualsIgnoreCase",
                Some((None, Test::Text { like: false, ignore_case: true, negated: true }, false)),
            ),
            ("BoolIfExists", Some((None, Test::Bool, true))),
            ("Null", Some((None, Test::Null, false))),
            ("NotIpAddressIfExists", Some((None, Test::Other { negated: true }, true))),
            ("DateNotEqualsIfExists", Some((None, Test::Date { order: Order::Equal, negated: true }, true))),
            (
                "ForAnyValue:DateLessThanEquals",
                Some((any, Test::Date { order: Order::LessOrEqual, negated: false }, false)),
            ),
            ("NumericLessThan", Some((None, Test::Other { negated: false }, false))),
            ("NullIfExists", None),
            ("StringLikeIgnoreCase", None),
            ("StringEqual", None),
            ("ForEveryValue:StringEquals", None),
            ("ForAnyValue:ForAllValues:StringEquals", None),
            ("IfExists", None),
            ("", None),
        ];
        for (name, expected) in cases {
            let found = Operator::parse(name);
            assert!(found.as_ref().is_none_or(|operator| operator.to_string() == name));
            assert_eq!(
                found.map(|operator| (operator.quantifier, operator.test, operator.if_exists)),
                expected,
                "{name}"
            );
        }
    }
}
