//! Answers the questions of `test_profile_files.py` about profile files, one tab-separated line each:
//!
//! - `parse KIND PATH`: `ok` and the profiles, or `no` and the error
//! - `get KIND PATH PROFILE KEY`: `ok` and the value, or `none`
//! - `set KIND PATH PROFILE OUT EDIT…`: writes the changed file to OUT; an EDIT is `KEY` (remove) or `KEY=VALUE`
//! - `write KIND PATH PROFILE OUT`: the same with new credentials; `process`: with a credential process
//! - `rivals KIND PATH PROFILE SOURCE`: `ok` and, for each rival, `KEY wins` or `KEY loses` (in botocore)
//!
//! Names, keys, values and edits are in hexadecimal.

use std::error::Error;
use std::fmt::Write as _;
use std::io::{BufRead as _, Write as _};

use gp_idp::target::aws::profile::{Effect, FileKind, Keys, ProfileFile, Source};

const PROCESS: &str = r#"echo '{"Version": 1, "AccessKeyId": "ASIANEW", "SecretAccessKey": "new-secret"}'"#;

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let answer = answer(&line?)?;
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn answer(line: &str) -> Result<String, Box<dyn Error>> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [verb, kind, path, rest @ ..] = &fields[..] else { return Err("too few fields".into()) };
    let kind = if *kind == "config" { FileKind::Config } else { FileKind::Credentials };
    let mut file = match ProfileFile::from_bytes(&std::fs::read(path)?, kind) {
        Ok(file) => file,
        Err(error) => return Ok(format!("no\t{error}")),
    };
    let mut answer = "ok".to_owned();
    match (*verb, rest) {
        ("parse", []) => {
            for profile in file.profiles() {
                write!(answer, "\t{}", encode(&profile))?;
            }
        }
        ("get", [profile, key]) => match file.get(&decode(profile)?, &decode(key)?) {
            Some(value) => write!(answer, "\t{}", encode(&value))?,
            None => answer = "none".into(),
        },
        ("set", [profile, out, edits @ ..]) => {
            let edits: Vec<String> = edits.iter().map(|edit| decode(edit)).collect::<Result<_, _>>()?;
            let edits: Vec<(&str, Option<&str>)> = edits
                .iter()
                .map(|edit| edit.split_once('=').map_or((&**edit, None), |(key, value)| (key, Some(value))))
                .collect();
            match file.set(&decode(profile)?, &edits) {
                Ok(()) => std::fs::write(out, file.text())?,
                Err(error) => answer = format!("no\t{error}"),
            }
        }
        (verb @ ("write" | "process"), [profile, out]) => {
            let keys = Keys {
                access_key_id: "ASIANEW",
                secret_access_key: "new-secret",
                session_token: "new-token",
                expires: "2030-01-02T03:04:05Z",
            };
            let profile = decode(profile)?;
            let result = match verb {
                "write" => file.write_credentials(&profile, keys, true),
                _ => file.write_credential_process(&profile, PROCESS, true),
            };
            match result {
                Ok(_) => std::fs::write(out, file.text())?,
                Err(error) => answer = format!("no\t{error}"),
            }
        }
        ("rivals", [profile, source]) => {
            let source = if *source == "keys" { Source::Keys } else { Source::Process };
            for rival in file.rivals(&decode(profile)?, source) {
                write!(
                    answer,
                    "\t{} {}",
                    rival.key,
                    if rival.effect == Effect::Preferred { "wins" } else { "loses" }
                )?;
            }
        }
        _ => return Err("not a question".into()),
    }
    Ok(answer)
}

fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn decode(hex: &str) -> Result<String, Box<dyn Error>> {
    let bytes: Result<Vec<u8>, _> = (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(hex.get(at..at + 2).unwrap_or(""), 16))
        .collect();
    Ok(String::from_utf8(bytes?)?)
}
