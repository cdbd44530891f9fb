//! `gp idp decode`

use std::fmt::Write as _;

use zeroize::Zeroizing;

use crate::args::token::{DecodeArgs, DecodeFormat};
use crate::context::Context;
use crate::error::{CouldNot, Failure, UsageError};
use crate::exit::{Exit, Explain};
use crate::json::Json;
use crate::jwt::{Decoded, decode::MAX_TOKEN, numeric_date};
use crate::output::sanitise;
use crate::time;

/// The claims that are instants.
const TIMES: [&str; 5] = ["iat", "nbf", "exp", "auth_time", "updated_at"];

/// The most names of claims that a hint lists.
const MOST_NAMES: usize = 20;

#[derive(Debug, thiserror::Error)]
#[error("the token has no claim `{name}`")]
struct NoClaim {
    name: String,
    has: Vec<String>,
}

impl Explain for NoClaim {
    fn exit(&self) -> Exit {
        Exit::Failed
    }

    fn hint(&self) -> Option<String> {
        let names: Vec<String> = self.has.iter().take(MOST_NAMES).map(|name| sanitise(name)).collect();
        let more = self.has.len().saturating_sub(MOST_NAMES);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        (!names.is_empty()).then(|| format!("it has {}{more}", names.join(", ")))
    }
}

pub(super) fn run(args: &DecodeArgs, ctx: &Context) -> Result<(), Failure> {
    let action = || "decode the token".to_owned();
    let piped;
    let text = match args.token.as_deref() {
        Some(text) if text != "-" => text,
        given => {
            if given.is_none() && ctx.out.stdin_is_terminal() {
                return Err(UsageError {
                    message: "no token was given".into(),
                    hint: Some("give one as an argument, or pipe it in: `gp idp token --audience example.org | gp idp decode`".into()),
                }
                .into());
            }
            piped = Zeroizing::new(ctx.out.read_stdin(MAX_INPUT).could_not(action)?);
            &piped
        }
    };
    let decoded = Decoded::parse(text).could_not(action)?;

    match (&args.claim, args.format) {
        (Some(name), _) => {
            let Some(value) = decoded.payload.at(name) else {
                return Err(NoClaim { name: name.clone(), has: names(&decoded.payload) }).could_not(action);
            };
            match value.as_str() {
                // A line break of the claim must not look like one of ours.
                Some(text) if ctx.out.stdout_is_terminal() => {
                    ctx.out.data(&format!("{}\n", sanitise(&text)))?;
                }
                Some(text) => ctx.out.data(&format!("{text}\n"))?,
                None => ctx.out.json_text(&format!("{}\n", value.compact()))?,
            }
        }
        (None, DecodeFormat::Json) => ctx.out.json_text(&format!("{}\n", decoded.to_json().pretty()))?,
        (None, DecodeFormat::Text) => ctx.out.data(&table(&decoded, ctx))?,
    }
    ctx.out.tell(|| "the signature was not verified".to_owned());
    Ok(())
}

/// A token, a header line around it and white space.
const MAX_INPUT: usize = MAX_TOKEN + 4096;

fn names(payload: &Json) -> Vec<String> {
    match payload {
        Json::Object(members) => members.iter().map(|(name, _)| format!("`{name}`")).collect(),
        _ => Vec::new(),
    }
}

fn table(decoded: &Decoded, ctx: &Context) -> String {
    let mut out = String::new();
    for (heading, part) in [("Header", &decoded.header), ("Payload", &decoded.payload)] {
        let Json::Object(members) = part else { continue };
        let width = members.iter().map(|(name, _)| sanitise(name).chars().count()).max().unwrap_or(0);
        let _ = writeln!(out, "{}", ctx.out.paint().heading(heading));
        for (name, value) in members {
            let name = sanitise(name);
            let _ = writeln!(out, "  {name:width$}  {}", cell(&name, value, ctx));
        }
    }
    let _ = writeln!(out, "{}", ctx.out.paint().dim("The signature was not verified."));
    out
}

/// A value as a person reads it: strings bare, lists with commas, times in local form and from now.
fn cell(name: &str, value: &Json, ctx: &Context) -> String {
    if let Some(at) = numeric_date(value).filter(|_| TIMES.contains(&name)) {
        let local = at.to_zoned_datetime(ctx.time_zone()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string();
        let relative = time::relative(at, ctx.now());
        let expired = name == "exp" && at <= ctx.now();
        return format!("{local} ({}{relative})", if expired { "expired " } else { "" });
    }
    let text = match value.as_strings() {
        Some(texts) if !texts.is_empty() => texts.join(", "),
        _ => value.compact(),
    };
    sanitise(&text)
}
