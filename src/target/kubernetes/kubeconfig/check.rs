//! Verifies that an edit changes one value and nothing else.

use super::tree::{Kind, Node, Step, same_members};
use super::value::Value;

/// Whether `new` has the same content as `old`, except at `path`: there, `new` has `value`, or nothing if there is no
/// `value`.
pub(super) fn is_changed_only_at(
    old: Option<&Node>,
    new: &Node,
    path: &[Step<'_>],
    value: Option<&Value>,
) -> bool {
    let Some((step, rest)) = path.split_first() else {
        return value.is_some_and(|value| value.matches(new));
    };
    let Some(old) = old.filter(|old| !old.is_null()) else {
        return value.is_some_and(|value| value.clone().nested(path).matches(new));
    };
    if !old.has_same_properties(new) {
        return false;
    }
    match (step, &old.kind, &new.kind) {
        (Step::Key(key), Kind::Mapping { members: before, .. }, Kind::Mapping { members: after, .. })
            if same_members(old.merged(), new.merged()) =>
        {
            let ours = |(name, _): &&(Node, Node)| name.as_str() == Some(*key);
            let others = |members: &'_ [(Node, Node)]| -> Vec<(Node, Node)> {
                members.iter().filter(|member| !ours(member)).cloned().collect()
            };
            let (before, after) = (others(before), others(after));
            let same = same_members(&before, &after);
            let old = old.step(*step);
            match new.step(*step) {
                Some(new) => same && is_changed_only_at(old, new, rest, value),
                None => same && value.is_none() && rest.is_empty(),
            }
        }
        (Step::Named(name), Kind::Sequence { items: before, .. }, Kind::Sequence { items: after, .. }) => {
            let same = before.iter().zip(after).all(|(a, b)| {
                if a.is_named(name) {
                    b.is_named(name) && is_changed_only_at(Some(a), b, rest, value)
                } else {
                    a.has_same_content(b)
                }
            });
            let added = &after[before.len().min(after.len())..];
            let wanted = value.map(|value| value.clone().nested(rest).named(name));
            same && before.len() <= after.len()
                && match added {
                    [] => old.step(*step).is_some(),
                    [item] => wanted.is_some_and(|wanted| wanted.matches(item)),
                    _ => false,
                }
        }
        _ => false,
    }
}
