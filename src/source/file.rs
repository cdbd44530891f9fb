//! `file:PATH`: a token that another program keeps in a file, such as the kubelet, a CI agent or
//! another login step. The file is read at each use.

use std::path::{Path, PathBuf};

use super::error::SourceError;
use super::{Argument, Audiences, TokenRequest, TokenSource, existing_token};
use crate::context::Context;
use crate::error::Failure;
use crate::files::{self, MAX_FILE};
use crate::http::Http;
use crate::jwt::IdToken;
use crate::settings::SourceOptions;

#[derive(Debug)]
pub(crate) struct File(PathBuf);

impl File {
    pub(super) const PATH: &'static str = "PATH";

    fn read(&self, ctx: &Context) -> Result<IdToken, Failure> {
        let fix =
            "check the path of `--source file:PATH`, and that the program that writes the token has run";
        read(&self.0, fix, ctx)
    }
}

/// The token in a file. `fix` is the hint for a missing file.
pub(super) fn read(path: &Path, fix: &str, ctx: &Context) -> Result<IdToken, Failure> {
    let place = path.display().to_string();
    match files::read_text(path, MAX_FILE) {
        Ok(text) => {
            let remedy = "the program that writes the file has to write a new token";
            Ok(existing_token::read(&text, place, remedy, ctx)?)
        }
        Err(error) if error.is_missing() => {
            let what = format!("{place} does not exist");
            Err(SourceError::Missing { what, remedy: fix.to_owned() }.into())
        }
        Err(error) => Err(error.into()),
    }
}

impl TokenSource for File {
    const NAME: &'static str = "file";
    const MINTS: bool = false;
    const IS_FOUND: bool = false;
    const ARGUMENT: Argument = Argument::Required(Self::PATH);

    fn from_context(argument: &str, _: &SourceOptions, ctx: &Context) -> Result<Self, Failure> {
        Ok(Self(ctx.expand_home(argument.as_ref())?))
    }

    fn audiences(&self) -> Audiences {
        Audiences::Fixed
    }

    async fn id_token(&self, _: &TokenRequest, http: &Http<'_>) -> Result<IdToken, Failure> {
        self.read(http.ctx())
    }

    fn fingerprint(&self, _: &Context) -> Option<Vec<String>> {
        existing_token::identity(&files::read_text(&self.0, MAX_FILE).ok()?)
    }

    fn audience_hint(&self, wanted: &TokenRequest) -> String {
        existing_token::audience_hint(&wanted.listed())
    }

    fn describe(&self) -> String {
        format!("the file {}", self.0.display())
    }
}
