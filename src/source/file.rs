//! `file:PATH`: a token that somebody keeps in a file, such as the kubelet, a CI agent or another login step. The file is
//! read at each use.

use std::path::PathBuf;

use super::error::SourceError;
use super::{Audiences, TokenRequest, TokenSource, given};
use crate::context::Context;
use crate::error::Failure;
use crate::files::{self, MAX_FILE};
use crate::http::Http;
use crate::jwt::IdToken;
use crate::settings::SourceOptions;

#[derive(Debug)]
pub(crate) struct File(PathBuf);

impl File {
    fn read(&self, ctx: &Context) -> Result<IdToken, Failure> {
        let place = self.0.display().to_string();
        let remedy = "whoever writes the file has to write a new token into it";
        let text = match files::read_text(&self.0, MAX_FILE) {
            Ok(text) => text,
            Err(error) if error.is_missing() => {
                let remedy =
                    "check the path of `--source file:PATH`, and that whoever writes the token there has run";
                return Err(SourceError::Missing {
                    what: format!("{place} is not there"),
                    remedy: remedy.into(),
                }
                .into());
            }
            Err(error) => return Err(error.into()),
        };
        Ok(given::read(&text, place, remedy, ctx)?)
    }
}

impl TokenSource for File {
    const NAME: &'static str = "file";
    const ARGUMENT: Option<&'static str> = Some("PATH");

    fn from_context(argument: &str, _: &SourceOptions, ctx: &Context) -> Result<Self, Failure> {
        Ok(Self(ctx.expand_home(argument.as_ref())?))
    }

    fn audiences(&self) -> Audiences {
        Audiences::Fixed
    }

    async fn id_token(&self, _: &TokenRequest, http: &Http<'_>) -> Result<IdToken, Failure> {
        self.read(http.ctx())
    }

    fn fingerprint(&self, ctx: &Context) -> Vec<String> {
        self.read(ctx).map(|token| given::identity(&token)).unwrap_or_default()
    }

    fn audience_hint(&self, wanted: &TokenRequest) -> String {
        given::audience_hint(&wanted.listed())
    }

    fn describe(&self) -> String {
        format!("the file {}", self.0.display())
    }
}
