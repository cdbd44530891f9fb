//! Each row of docs/compatibility.md: `gp` accepts a command line of the original, or refuses it
//! as the page says.

use std::collections::BTreeMap;
use std::path::Path;

use gp_idp::dev::DEV_ROLE;

use crate::support::Gp;

/// The documented result of a row.
#[derive(Debug, PartialEq)]
enum Expected {
    Same,
    /// Another result, which the row explains.
    Differs,
    /// Wrong usage.
    Refused,
}

/// The rows of the page: the command line and the documented result.
fn rows() -> BTreeMap<String, Expected> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/compatibility.md");
    let text = std::fs::read_to_string(page).unwrap();
    let lines = text.lines().filter(|line| line.starts_with("| `gp idp"));
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let ours = match cells[2] {
            "the same" => Expected::Same,
            cell if cell.starts_with("refused") => Expected::Refused,
            _ => Expected::Differs,
        };
        assert!(ours == Expected::Same || !cells[3].is_empty(), "a difference has a reason: {line}");
        (cells[0].trim_matches('`').to_owned(), ours)
    };
    lines.map(row).collect()
}

/// The words of a line, with `""` for an empty one.
fn words(line: &str) -> impl Iterator<Item = String> {
    line.split(' ').skip(1).map(|word| word.replace("\"\"", "").trim_matches('"').to_owned())
}

#[test]
fn every_row_holds() {
    let rows = rows();
    assert!(rows.len() > 25, "{}", rows.len());
    for (line, ours) in &rows {
        // The local workspace sets a role. A refusal needs no workspace.
        let gp = match ours {
            Expected::Refused => Gp::new().env("SUPERVISOR_ADDR", "127.0.0.1:1"),
            Expected::Same | Expected::Differs => Gp::in_workspace(),
        };
        let gp = words(&line.replace("ROLE_ARN", DEV_ROLE)).fold(gp, Gp::arg);
        let ran = gp.run();
        match ours {
            Expected::Refused => assert_eq!(ran.code, 2, "{line}: {}", ran.stderr),
            Expected::Same => assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{line}"),
            Expected::Differs => {}
        }
    }
}

/// The decoded token that a command line prints.
fn decoded(line: &str) -> serde_json::Value {
    let printed = words(line).fold(Gp::in_workspace(), Gp::arg).run().success();
    serde_json::from_str(&printed).unwrap_or_else(|_| panic!("{line}: {printed}"))
}

#[test]
fn flags_have_the_same_meaning_as_in_the_original() {
    let scope = |line: &str| decoded(line)["Payload"]["scope"].clone();
    assert_eq!(scope("gp idp token --audience x --decode --scope \"\""), serde_json::Value::Null);
    assert_eq!(scope("gp idp token --audience x --decode --scope s"), "s");
    assert_eq!(scope("gp idp --scope s token --audience x --decode=true"), "s");
    // The last value is used.
    assert_eq!(scope("gp idp token --audience x --decode --scope a --scope b"), "b");
    let token = words("gp idp token --audience x --decode=false").fold(Gp::in_workspace(), Gp::arg);
    assert!(token.run().success().starts_with("eyJ"));
    let audience =
        decoded("gp idp token --audience a,b --audience c --decode --quiet")["Payload"]["aud"].clone();
    assert_eq!(audience, serde_json::json!(["a,b", "c"]));
    let printed =
        words("gp idp token --audience x --gcloud").fold(Gp::in_workspace(), Gp::arg).run().success();
    assert!(printed.starts_with(r#"{"version":1,"success":true,"#), "{printed}");
}

#[test]
fn a_space_between_the_dashes_and_a_flag_is_recognised() {
    let ran = Gp::in_workspace().line("idp login aws -- profile x").run();
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("did you mean `--profile`?"), "{}", ran.stderr);
    let ran = Gp::in_workspace().line("idp login aws -- nonsense x").run();
    assert!(ran.code == 2 && !ran.stderr.contains("did you mean"), "{}", ran.stderr);
}
