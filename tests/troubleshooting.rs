//! docs/troubleshooting.md promises a snapshot for every row: each test that a row names exists,
//! one of them compares a complete output, and each text that a row quotes is in a snapshot or in
//! the expectations of the test.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// The sources and the snapshots, without the programs that the tests install.
fn files() -> &'static [(PathBuf, String)] {
    static FILES: LazyLock<Vec<(PathBuf, String)>> = LazyLock::new(|| {
        let tests = root().join("tests");
        let top =
            fs::read_dir(&tests).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
        let below =
            ["tests/snapshots", "tests/support", "src"].map(|folder| files_below(&root().join(folder)));
        let all = top.chain(below.concat());
        all.filter_map(|path| fs::read_to_string(&path).ok().map(|text| (path, text))).collect()
    });
    &FILES
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// The texts between pairs of `mark`, such as backticks.
fn between(text: &str, mark: char) -> Vec<&str> {
    text.split(mark).skip(1).step_by(2).collect()
}

/// The cells of each row that names a test in its last one.
fn rows(page: &str) -> Vec<Vec<&str>> {
    let rows = page.lines().filter(|line| line.starts_with("| ") && line.ends_with(" |"));
    let rows = rows.map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect::<Vec<_>>());
    rows.filter(|cells| cells.last() != Some(&"test")).collect()
}

/// Calls that compare a complete output with an expectation.
const SNAPSHOTS: [&str; 5] = ["str![", "file![", "snapshots/", ".failure(", "check(&["];

struct Expected {
    /// The source file of the test, and the snapshots that it names.
    text: String,
    is_snapshot: bool,
}

/// The expectations of a test. `None` if the test does not exist.
fn expectations(name: &str, module: &mut String) -> Option<Expected> {
    if name.rsplit_once('.').is_some_and(|(_, kind)| kind == "txt") {
        let found = files().iter().find(|(path, _)| path.ends_with(name));
        return found.map(|(_, text)| Expected { text: text.clone(), is_snapshot: true });
    }
    let function = match name.strip_suffix(".rs").unwrap_or(name).rsplit_once("::") {
        Some((of, function)) => {
            of.clone_into(module);
            function
        }
        None if root().join(format!("tests/{}.rs", name.trim_end_matches(".rs"))).exists() => {
            name.trim_end_matches(".rs").clone_into(module);
            ""
        }
        None => name,
    };
    let file = format!("{module}.rs");
    let own = root().join("tests").join(&file);
    let named = files().iter().find(|(path, _)| *path == own);
    let (_, source) = named.or_else(|| files().iter().find(|(path, _)| path.ends_with(&file)))?;
    let body = match function {
        "" | "tests" => source.as_str(),
        // A function ends with a brace at the beginning of a line.
        _ => source.split_once(&format!("fn {}", function.trim_end_matches('…')))?.1.split("\n}").next()?,
    };
    let snapshots = files().iter().filter(|(path, _)| {
        let folder =
            path.parent().and_then(Path::file_name).and_then(|name| name.to_str()).unwrap_or_default();
        path.extension().is_some_and(|kind| kind == "txt") && source.contains(&format!("snapshots/{folder}/"))
    });
    let text = source.clone() + &snapshots.map(|(_, text)| text.as_str()).collect::<String>();
    Some(Expected { text, is_snapshot: SNAPSHOTS.iter().any(|call| body.contains(call)) })
}

/// The promises of a row that no test keeps.
fn missing(cells: &[&str], first_module: &str) -> Vec<String> {
    let mut module = first_module.to_owned();
    let mut missing = Vec::new();
    let mut corpus = String::new();
    let mut is_snapshot = false;
    let names = between(cells.last().unwrap(), '`');
    if names.is_empty() {
        missing.push("it names no test".to_owned());
    }
    for name in names {
        match expectations(name, &mut module) {
            Some(expected) => {
                corpus += &expected.text;
                is_snapshot |= expected.is_snapshot;
            }
            None => missing.push(format!("there is no test {name}")),
        }
    }
    if missing.is_empty() && !is_snapshot {
        missing.push("no test of it compares a whole output".to_owned());
    }
    // Source text has a backslash before its quotes.
    let corpus = corpus.replace("\\\"", "\"").to_lowercase();
    let place = cells[cells.len() - 3].replace("…", "\"\"");
    let quoted = between(&place, '"').into_iter().map(|text| text.trim().to_lowercase());
    missing.extend(
        quoted.filter(|text| !corpus.contains(text.as_str())).map(|text| format!("no test expects {text:?}")),
    );
    missing
}

#[test]
fn every_row_of_the_page_has_a_snapshot() {
    let page = fs::read_to_string(root().join("docs/troubleshooting.md")).unwrap();
    let rows = rows(&page);
    assert!(rows.len() > 60, "only {} rows", rows.len());
    let wrong: Vec<String> = rows
        .iter()
        .flat_map(|cells| {
            missing(cells, "decode").into_iter().map(|what| format!("{}: {what}", cells[..2].join(" ")))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_row_without_a_test_is_found() {
    let row = |place, test| missing(&["1", "a cause", place, "the fix", test], "decode");
    assert_eq!(row("\"Incorrect token audience\"", "`aws.txt`"), [""; 0]);
    assert_eq!(
        row("\"No such words anywhere\"", "`aws.txt`"),
        ["no test expects \"no such words anywhere\""]
    );
    assert_eq!(row("a place", "`token::no_such_test…`"), ["there is no test token::no_such_test…"]);
    assert_eq!(row("a place", "its test"), ["it names no test"]);
    assert_eq!(row("a place", "`decode::decode_sends…`"), ["no test of it compares a whole output"]);
}
