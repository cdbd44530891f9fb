//! `gp idp decode`

use std::fmt::Write as _;

use crate::args::token::{DecodeArgs, DecodeFormat};
use crate::context::Context;
use crate::error::{CouldNot, Failure, UsageError};
use crate::exit::{Exit, Explain};
use crate::json::Json;
use crate::jwt::{Decoded, Found, numeric_date};
use crate::output::sanitise;
use crate::time;

/// The claims that are times.
const TIME_CLAIMS: [&str; 5] = ["iat", "nbf", "exp", "auth_time", "updated_at"];

/// The maximum number of claim names in a hint.
const MAX_NAMES: usize = 20;

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
        let names: Vec<String> = self.has.iter().take(MAX_NAMES).map(|name| sanitise(name)).collect();
        let more = self.has.len().saturating_sub(MAX_NAMES);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        (!names.is_empty()).then(|| format!("it has {}{more}", names.join(", ")))
    }
}

pub(super) fn run(args: &DecodeArgs, ctx: &Context) -> Result<(), Failure> {
    let action = || "decode the token".to_owned();
    if args.token.is_none() && ctx.out.stdin_is_terminal() {
        return Err(UsageError {
            message: "no token was given".into(),
            hint: Some("give one as an argument, or pipe it in: `gp idp token --audience example.org | gp idp decode`".into()),
        }
        .into());
    }
    let text = super::token_text(args.token.as_deref(), "gp idp decode", ctx).could_not(action)?;
    let found = Found::read(text.reveal()).could_not(action)?;
    report(&found, ctx);

    match (&args.claim, args.format) {
        (Some(name), _) => {
            let values = values(&found.tokens, name);
            if values.is_empty() {
                return Err(NoClaim { name: name.clone(), has: names(&found.tokens) }).could_not(action);
            }
            for value in values {
                match value.as_str() {
                    // A line break in the claim must not look like a new line of the output.
                    Some(text) if ctx.out.stdout_is_terminal() => {
                        ctx.out.data(&format!("{}\n", sanitise(&text)))?;
                    }
                    Some(text) => ctx.out.data(&format!("{text}\n"))?,
                    None => ctx.out.json_text(&format!("{}\n", value.compact()))?,
                }
            }
        }
        (None, DecodeFormat::Json) => {
            let json = match &found.tokens[..] {
                [token] => token.to_json(),
                tokens => Json::Array(tokens.iter().map(Decoded::to_json).collect()),
            };
            ctx.out.json_text(&format!("{}\n", json.pretty()))?;
        }
        (None, DecodeFormat::Text) => ctx.out.report(&table(&found.tokens, ctx))?,
    }
    // The table already has this note.
    if args.claim.is_some() || args.format != DecodeFormat::Text {
        ctx.out.note_on_terminal(|| "the signature was not verified".to_owned());
    }
    Ok(())
}

/// Reports where the token was found, and why strict receivers refuse it.
fn report(found: &Found, ctx: &Context) {
    match (found.inside, found.tokens.len()) {
        (None, _) => {}
        (Some(inside), 1) => ctx.out.note(format!("note: this is {inside}, with a token in it")),
        (Some(inside), count) => {
            ctx.out.warn(format!("this is {inside}, with {count} tokens in it: all are shown"));
        }
    }
    for fault in &found.faults {
        if fault.is_another_kind() {
            ctx.out.note(format!("note: {fault}"));
        } else {
            ctx.out.warn(format!("strict receivers refuse this token: {fault}"));
        }
    }
}

/// The values of a claim in all tokens. A claim that appears twice has two values. For a claim
/// that is not in the payload, these are the values that an SD-JWT discloses.
fn values(tokens: &[Decoded], name: &str) -> Vec<Json> {
    let of_token = |token: &Decoded| -> Vec<Json> {
        let claimed: Vec<Json> = token.claims().all_at(name).into_iter().cloned().collect();
        if claimed.is_empty() {
            token.disclosed().all_at(name).into_iter().cloned().collect()
        } else {
            claimed
        }
    };
    tokens.iter().flat_map(of_token).collect()
}

fn names(tokens: &[Decoded]) -> Vec<String> {
    let mut names = Vec::new();
    for part in tokens.iter().flat_map(|token| [token.claims().clone(), token.disclosed()]) {
        let Json::Object(members) = part else { continue };
        for name in members.into_iter().map(|(name, _)| format!("`{name}`")) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

/// The parts of a token and of its nested tokens, each with a heading.
fn parts(token: &Decoded, prefix: &str) -> Vec<(String, Json)> {
    let mut parts = vec![(format!("{prefix}Header"), token.header.clone())];
    match &token.nested {
        Some(nested) => parts.extend(self::parts(nested, &format!("{prefix}Nested "))),
        None => parts.push((format!("{prefix}Payload"), token.payload.clone())),
    }
    if !token.disclosures.is_empty() {
        parts.push((format!("{prefix}Disclosures"), Json::Array(token.disclosures.clone())));
    }
    if let Some(key_binding) = &token.key_binding {
        parts.extend(self::parts(key_binding, &format!("{prefix}Key binding ")));
    }
    parts
}

fn table(tokens: &[Decoded], ctx: &Context) -> String {
    let mut out = String::new();
    for (heading, part) in tokens.iter().flat_map(|token| parts(token, "")) {
        let _ = writeln!(out, "{}", ctx.out.paint().heading(&heading));
        match part {
            Json::Object(members) => {
                let width = members.iter().map(|(name, _)| sanitise(name).chars().count()).max().unwrap_or(0);
                for (name, value) in &members {
                    let name = sanitise(name);
                    let _ = writeln!(out, "  {name:width$}  {}", cell(&name, value, ctx));
                }
            }
            Json::Array(items) => {
                for item in &items {
                    let _ = writeln!(out, "  {}", sanitise(&item.compact()));
                }
            }
            value @ Json::Scalar(_) => {
                let _ = writeln!(out, "  {}", cell("", &value, ctx));
            }
        }
    }
    let _ = writeln!(out, "{}", ctx.out.paint().dim("The signature was not verified."));
    out
}

/// A value for people: strings without quotes, lists with commas, times in the local time zone and
/// relative to now.
fn cell(name: &str, value: &Json, ctx: &Context) -> String {
    if let Some(at) = numeric_date(value).filter(|_| TIME_CLAIMS.contains(&name)) {
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
