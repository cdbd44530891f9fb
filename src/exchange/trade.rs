//! One ID token for one credential.

use crate::context::Context;
use crate::error::Failure;
use crate::exchange::Exchange;
use crate::jwt::IdToken;
use crate::source::{TokenRequest, TokenSource};

/// Mints and trades; once more with a fresh token where the service asks for one. The token that was taken comes
/// back too.
pub(crate) async fn trade<E: Exchange>(
    source: &impl TokenSource,
    wanted: &TokenRequest<'_>,
    exchange: &E,
    ctx: &Context,
) -> Result<(IdToken, E::Credential), Failure> {
    let mut again = false;
    loop {
        let token = source.id_token(wanted).await?;
        match exchange.exchange(&token).await {
            Err(error) if error.wants_a_fresh_token() && !again => {
                ctx.out.trace(|| "  trying again with a fresh ID token".to_owned());
                again = true;
            }
            outcome => return Ok((token, outcome?)),
        }
    }
}
