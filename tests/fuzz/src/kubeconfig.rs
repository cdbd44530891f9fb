//! The kubeconfig editor: it refuses a file, or adds a user and a context. Another YAML reader
//! finds no other change, and a second edit changes nothing.

#![no_main]

use gp_idp::fuzz;
use libfuzzer_sys::fuzz_target;
use serde_yaml_ng::{Mapping, Value};

fuzz_target!(|text: &str| {
    for (cluster, force) in [(None, false), (None, true), (Some("prod"), false)] {
        let Ok(new) = fuzz::kubeconfig(text, cluster, force) else { continue };
        assert_eq!(
            fuzz::kubeconfig(&new, cluster, force).as_ref(),
            Ok(&new),
            "the second edit changes {new:?}"
        );
        if !force {
            check_comments(text, &new);
        }
        check_other_entries(text, &new, cluster.is_some());
    }
});

/// Every comment line is kept, in its order.
fn check_comments(old: &str, new: &str) {
    let mut rest = new.split(['\n', '\r']);
    for line in old.split(['\n', '\r']).filter(|line| line.starts_with('#')) {
        assert!(rest.any(|found| found == line), "{line:?} is lost in {new:?}");
    }
}

/// libyaml (`kubectl` uses a port of it) finds the new user, and everything else as before.
fn check_other_entries(old: &str, new: &str, with_context: bool) {
    // A literal block (`|`) at the end of a file includes the line break that ends the file.
    let ended = if old.ends_with('\n') { old.to_owned() } else { format!("{old}\n") };
    let Ok(before) = serde_yaml_ng::from_str::<Value>(&ended) else { return };
    let after: Value = match serde_yaml_ng::from_str(new) {
        Ok(after) => after,
        Err(error) => panic!("{old:?} became {new:?}, which is not YAML: {error}"),
    };
    let user = entry(&after, "users", "ci").unwrap_or_else(|| panic!("no user in {new:?}"));
    let command = user.get("user").and_then(|user| user.get("exec")).and_then(|exec| exec.get("command"));
    assert_eq!(command.and_then(Value::as_str), Some("/usr/bin/gp"), "{new:?}");
    if with_context {
        let context = entry(&after, "contexts", "ci@fuzz").and_then(|context| context.get("context"));
        let named = context.and_then(|context| context.get("user")).and_then(Value::as_str);
        assert_eq!(named, Some("ci"), "{new:?}");
        assert_eq!(after.get("current-context").and_then(Value::as_str), Some("ci@fuzz"), "{new:?}");
    }
    // These two are added to an empty file.
    let added: &[&str] = if before.is_null() { &["apiVersion", "kind"] } else { &[] };
    let ours = if with_context { "current-context" } else { "" };
    assert_eq!(
        other_members(before, &[ours]),
        other_members(after, &[added, &[ours]].concat()),
        "{old:?} became {new:?}"
    );
}

fn entry<'a>(root: &'a Value, list: &str, name: &str) -> Option<&'a Value> {
    root.get(list)?.as_sequence()?.iter().find(|entry| is_named(entry, name))
}

fn is_named(entry: &Value, name: &str) -> bool {
    entry.get("name").and_then(Value::as_str) == Some(name)
}

/// The members of `root` without `ours`, the user and the context.
fn other_members(root: Value, ours: &[&str]) -> Mapping {
    let Value::Mapping(mut members) = root else { return Mapping::new() };
    ours.iter().for_each(|key| drop(members.remove(*key)));
    for (list, name) in [("users", "ci"), ("contexts", "ci@fuzz")] {
        if let Some(Value::Sequence(entries)) = members.get_mut(list) {
            entries.retain(|entry| !is_named(entry, name));
        }
        // An empty list means the same as no list.
        if members
            .get(list)
            .is_some_and(|value| value.is_null() || value.as_sequence().is_some_and(Vec::is_empty))
        {
            members.remove(list);
        }
    }
    members
}
