//! One invocation: what the process was given, its HTTP client, its source of ID tokens, its deadline.

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

/// An ID token and what it was exchanged for.
#[derive(Debug)]
pub struct Obtained<C> {
    /// The token that the service took.
    pub token: IdToken,
    /// What the service gave.
    pub credential: C,
}

pub struct Session<'a> {
    ctx: &'a Context,
    http: Http<'a>,
    source: Source,
    audit: Audit,
    mask: Mask,
    /// Whether there was a warning about the audience: the same token may be minted many times.
    warned: Cell<bool>,
}

impl<'a> Session<'a> {
    /// Chooses the source. The time begins to count.
    pub fn open(ctx: &'a Context, options: &SessionOptions) -> Result<Self, Failure> {
        let http = Http::new(ctx, Deadline::after(options.timeout));
        let source = Source::select(&options.source, ctx)?;
        ctx.out.trace(|| format!("ID tokens come from the source `{}`", source.name()));
        let audit = Audit::open(&options.audit, source.name(), ctx)?;
        let mask = Mask::find(!options.source.no_mask, ctx);
        Ok(Self { ctx, http, source, audit, mask, warned: Cell::new(false) })
    }

    /// For credentials of a target: an error names what they are for.
    pub fn for_target<T: Target>(ctx: &'a Context, request: &T::Request) -> Result<Self, Failure> {
        let session = Self::open(ctx, T::options(request)).could_not(|| T::action(request))?;
        T::alarm(request, ctx);
        Ok(session)
    }

    /// What the process was given.
    pub fn ctx(&self) -> &'a Context {
        self.ctx
    }

    pub fn http(&self) -> &Http<'a> {
        &self.http
    }

    /// The source of ID tokens.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The variables of the source that a command does without, if it is to drop them.
    pub(crate) fn dropped(&self, drop_source: bool) -> Vec<String> {
        if drop_source { self.source.variables(self.ctx) } else { Vec::new() }
    }

    /// When the command has to be done.
    pub fn deadline(&self) -> Deadline {
        self.http.deadline()
    }

    /// Opens a connection to the source, where a request that needs none of its tokens comes first.
    pub(crate) async fn connect_early(&self) {
        self.source.connect_early(&self.http).await;
    }

    /// When the source gives its last token: see [`Source::end`].
    pub(crate) async fn source_end(&self, wanted: &TokenRequest) -> Result<Option<Timestamp>, Failure> {
        self.source.end(wanted, &self.http).await
    }

    /// A client whose time begins to count now, for something that a long-running command does again.
    fn renewed_http(&self) -> Http<'a> {
        self.http.until(Deadline::after(self.deadline().limit())).in_background()
    }

    /// A fresh ID token.
    ///
    /// # Errors
    /// Everything that keeps the source from minting one.
    pub async fn id_token(&self, wanted: &TokenRequest) -> Result<IdToken, Failure> {
        self.mint(wanted, &self.http).await
    }

    /// As [`Session::id_token`], within a time of its own.
    pub async fn id_token_again(&self, wanted: &TokenRequest) -> Result<IdToken, Failure> {
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

    /// As [`Session::id_token`], with a line in `report` for each step on the way.
    pub(crate) async fn examine(&self, wanted: &TokenRequest, report: &mut Report) -> Option<IdToken> {
        self.warn_of_audiences(wanted);
        let token = self.source.examine(wanted, &self.http, report).await;
        match self.audit.minted(&wanted.audiences, token.as_ref().ok_or(report.exit())) {
            Ok(()) => token,
            Err(failure) => report.stopped("audit log", failure, &[]),
        }
    }

    /// What was minted or exchanged last, for whoever is to get it.
    pub(crate) fn hand_over(&self) -> HandOver {
        self.audit.hand_over()
    }

    /// As [`Session::hand_over`], for this token.
    pub(crate) fn hand_over_token(&self, token: &IdToken) -> HandOver {
        self.audit.hand_over_token(token)
    }

    /// From now on, audit log lines are about the credential of an earlier call.
    pub(crate) fn recall(&self, access: Access) {
        self.audit.recalled(access);
    }

    /// Mints an ID token and exchanges it, once more with a fresh token where the service asks for one.
    ///
    /// # Errors
    /// Everything that keeps the source from minting a token, or the service from taking it.
    pub async fn obtain<T: Target>(&self, request: &T::Request) -> Result<Obtained<T::Credential>, Failure> {
        let foreign = T::foreign_hosts(request).join(" and ");
        if !foreign.is_empty() {
            self.ctx.out.trace(|| format!("tokens go to {foreign}, which the settings name"));
        }
        let obtained = self.exchange::<T>(request, &self.http).await?;
        if !foreign.is_empty() {
            self.ctx.out.tell(|| format!("tokens went to {foreign}"));
        }
        Ok(obtained)
    }

    /// As [`Session::obtain`], within a time of its own.
    pub async fn obtain_again<T: Target>(
        &self,
        request: &T::Request,
    ) -> Result<Obtained<T::Credential>, Failure> {
        self.exchange::<T>(request, &self.renewed_http()).await
    }

    /// Opens the connections of an exchange, the source's first because it is needed first. A request that the source
    /// refuses by itself opens none.
    async fn connect_early_for<T: Target>(&self, request: &T::Request, http: &Http<'a>, service: &Http<'a>) {
        if !self.source.may_give(T::token_request(request)) {
            return;
        }
        self.source.connect_early(http).await;
        for url in T::addresses(request) {
            service.connect_early(&url).await;
        }
    }

    async fn exchange<T: Target>(
        &self,
        request: &T::Request,
        http: &Http<'a>,
    ) -> Result<Obtained<T::Credential>, Failure> {
        let action = || T::action(request);
        // A certificate that cannot be read is found before a token is asked for.
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
                Err(error) if error.wants_a_fresh_token() && !again => {
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
