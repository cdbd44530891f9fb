//! One invocation: its context, HTTP client, source of ID tokens and deadline.

use std::cell::Cell;

use jiff::Timestamp;

use crate::audit::{Access, Audit, HandOver};
use crate::context::Context;
use crate::error::{CouldNot, Failure, Step};
use crate::exit::Explain;
use crate::http::{Deadline, Http};
use crate::jwt::IdToken;
use crate::mask::Mask;
use crate::report::Report;
use crate::settings::SessionOptions;
use crate::source::{Source, TokenRequest};
use crate::target::Target;

/// An ID token and the credential that it was exchanged for.
#[derive(Debug)]
pub struct Obtained<C> {
    /// The token that the service accepted.
    pub token: IdToken,
    /// The credential from the service.
    pub credential: C,
}

pub struct Session<'a> {
    ctx: &'a Context,
    http: Http<'a>,
    source: Source,
    audit: Audit,
    mask: Mask,
    /// Whether the warning about audiences was printed: at most once for each command.
    warned: Cell<bool>,
}

impl<'a> Session<'a> {
    /// Selects the source and starts the time limit.
    pub fn open(ctx: &'a Context, options: &SessionOptions) -> Result<Self, Failure> {
        let http = Http::new(ctx, Deadline::after(options.timeout));
        let source = Source::select(&options.source, ctx)?;
        ctx.out.trace(|| format!("ID tokens come from the source `{}`", source.name()));
        let audit = Audit::open(&options.audit, source.name(), ctx)?;
        let mask = Mask::find(!options.source.no_mask, ctx);
        Ok(Self { ctx, http, source, audit, mask, warned: Cell::new(false) })
    }

    /// Opens a session for an exchange. An error names the target's action.
    pub fn for_target<T: Target>(ctx: &'a Context, request: &T::Request) -> Result<Self, Failure> {
        let session = Self::open(ctx, T::options(request)).could_not(|| T::action(request))?;
        T::warn_before_sending(request, ctx);
        Ok(session)
    }

    pub fn ctx(&self) -> &'a Context {
        self.ctx
    }

    pub fn http(&self) -> &Http<'a> {
        &self.http
    }

    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The source's variables that a command does not get, if `drop_source` is set.
    pub(crate) fn dropped(&self, drop_source: bool) -> Vec<String> {
        if drop_source { self.source.variables(self.ctx) } else { Vec::new() }
    }

    pub fn deadline(&self) -> Deadline {
        self.http.deadline()
    }

    /// Opens a connection to the source in advance, while another request comes first.
    pub(crate) async fn connect_early(&self) {
        self.source.connect_early(&self.http).await;
    }

    /// The time at which the source stops giving tokens: see [`Source::renewal_end`].
    pub(crate) async fn source_end(&self, wanted: &TokenRequest) -> Result<Option<Timestamp>, Failure> {
        self.source.renewal_end(wanted, &self.http).await
    }

    /// A client whose time limit starts now, for the renewals of a long-running command.
    fn renewed_http(&self) -> Http<'a> {
        self.http.until(Deadline::after(self.deadline().limit())).in_background()
    }

    /// A fresh ID token.
    ///
    /// # Errors
    /// If the source cannot mint the token, or a required audit log cannot be written.
    pub async fn id_token(&self, wanted: &TokenRequest) -> Result<IdToken, Failure> {
        self.mint(wanted, &self.http).await
    }

    /// As [`Session::id_token`], with a new time limit, for a renewal.
    pub async fn renew_id_token(&self, wanted: &TokenRequest) -> Result<IdToken, Failure> {
        self.mint(wanted, &self.renewed_http()).await
    }

    async fn mint(&self, wanted: &TokenRequest, http: &Http<'a>) -> Result<IdToken, Failure> {
        let action = || wanted.action();
        self.source.connect_early(http).await;
        self.mint_for(wanted, http).await.could_not(action)
    }

    /// Warns about an audience that looks like several audiences, before the first token is requested.
    fn warn_of_audiences(&self, wanted: &TokenRequest) {
        let look_like_several = |audience: &&String| audience.contains([',', ' ']);
        for audience in wanted.audiences.iter().filter(look_like_several) {
            if !self.warned.replace(true) {
                self.ctx.shorten_input();
                self.ctx.out.warn(format!("`{audience}` is one audience; for several, repeat `--audience`"));
            }
        }
    }

    async fn mint_for(&self, wanted: &TokenRequest, http: &Http<'a>) -> Result<IdToken, Failure> {
        self.warn_of_audiences(wanted);
        let waiting = http.waiting(|| "getting an ID token".to_owned());
        let minted = self.source.id_token(wanted, http).await;
        drop(waiting);
        let recorded = self.audit.minted(&wanted.audiences, minted.as_ref().map_err(Failure::exit));
        self.mask.hide(http).await;
        minted.and_then(|token| Ok(recorded.map(|()| token)?)).at(Step::Mint)
    }

    /// As [`Session::id_token`], with a line in `report` for each step. Errors are in the report.
    pub(crate) async fn examine(&self, wanted: &TokenRequest, report: &mut Report) -> Option<IdToken> {
        self.warn_of_audiences(wanted);
        let token = self.source.examine(wanted, &self.http, report).await;
        match self.audit.minted(&wanted.audiences, token.as_ref().ok_or(report.exit())) {
            Ok(()) => token,
            Err(failure) => report.fail_and_block("audit log", failure, &[]),
        }
    }

    /// The hand-over of the latest token or credential, for the audit log.
    pub(crate) fn hand_over(&self) -> HandOver {
        self.audit.hand_over()
    }

    /// As [`Session::hand_over`], for this token.
    pub(crate) fn hand_over_token(&self, token: &IdToken) -> HandOver {
        self.audit.hand_over_token(token)
    }

    /// From now on, audit log lines are about `access`, a credential of an earlier call.
    pub(crate) fn use_cached_access(&self, access: Access) {
        self.audit.set_cached(access);
    }

    /// Mints an ID token and exchanges it; once more if the service asks for a fresh token.
    ///
    /// # Errors
    /// If the source cannot mint a token, the service refuses it or cannot be reached, or a
    /// required audit log cannot be written.
    pub async fn obtain<T: Target>(&self, request: &T::Request) -> Result<Obtained<T::Credential>, Failure> {
        let foreign = T::foreign_hosts(request).join(" and ");
        if !foreign.is_empty() {
            self.ctx.out.trace(|| format!("the ID token goes to {foreign}, which the settings name"));
        }
        let obtained = self.exchange::<T>(request, &self.http).await?;
        if !foreign.is_empty() {
            self.ctx
                .out
                .note_on_terminal(|| format!("the ID token went to {foreign}, which the settings name"));
        }
        Ok(obtained)
    }

    /// As [`Session::obtain`], with a new time limit, for a renewal.
    pub async fn renew<T: Target>(&self, request: &T::Request) -> Result<Obtained<T::Credential>, Failure> {
        self.exchange::<T>(request, &self.renewed_http()).await
    }

    /// Opens the connections of an exchange, the source's first because it is needed first. Opens
    /// none if the source refuses the request without sending it.
    async fn connect_early_for<T: Target>(&self, request: &T::Request, http: &Http<'a>, service: &Http<'a>) {
        if !self.source.supports(T::token_request(request)) {
            return;
        }
        self.source.connect_early(http).await;
        for url in T::urls(request) {
            service.connect_early(&url).await;
        }
    }

    async fn exchange<T: Target>(
        &self,
        request: &T::Request,
        http: &Http<'a>,
    ) -> Result<Obtained<T::Credential>, Failure> {
        let action = || T::action(request);
        // An unreadable certificate is an error before a token is minted.
        let service = T::client(request, http).could_not(action).at(Step::Settings)?;
        self.connect_early_for::<T>(request, http, &service).await;
        let mut again = false;
        loop {
            let token = self.mint_for(T::token_request(request), http).await.could_not(action)?;
            let waiting = http.waiting(|| "exchanging the ID token".to_owned());
            let exchanged = T::exchange(request, &token, &service).await;
            drop(waiting);
            self.mask.hide(http).await;
            let access = T::access(request, exchanged.as_ref().ok());
            let recorded = self.audit.exchanged(access, exchanged.as_ref().err().map(Explain::exit));
            match exchanged {
                Err(error) if error.needs_new_token() && !again => {
                    self.ctx.out.trace(|| "  trying again with a fresh ID token".to_owned());
                    again = true;
                }
                outcome => {
                    let credential = outcome.could_not(action).at(Step::Exchange)?;
                    recorded.could_not(action).at(Step::Exchange)?;
                    return Ok(Obtained { token, credential });
                }
            }
        }
    }
}
