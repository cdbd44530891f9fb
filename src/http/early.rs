//! Connections that are opened ahead of need.
//!
//! A request waits for a name, TCP and TLS before it is sent: three round trips with its own. Where a later request of
//! a command goes is often known before it can be sent, so the first two are made meanwhile. Nothing is sent on such a
//! connection before its request. One that fails is forgotten: the request opens its own, and its error counts.
//!
//! reqwest cannot open a connection without a request, but it lets a layer stand around its connector. A request that
//! is sent within [`opening`] ends in that layer: the layer keeps the connection that the request asked for. The next
//! request within [`through`] to the same origin takes it. Proxies, time limits and TLS are those of the client.

use std::collections::HashMap;
use std::error::Error;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use tower_layer::Layer;
use tower_service::Service;

/// How long an open connection is worth a request. Servers close one without a request after 5 s or more.
const LONGEST_IDLE: Duration = Duration::from_secs(3);

type BoxError = Box<dyn Error + Send + Sync>;

#[derive(Clone)]
struct Destination {
    origin: String,
    early: bool,
}

tokio::task_local! {
    /// Where the request that is being polled goes: the connector is called while that is set.
    static DESTINATION: Destination;
}

/// Lets the connection that `request` to `origin` asks for be opened and kept. The request itself fails.
pub(super) fn opening<F: Future>(origin: &str, request: F) -> impl Future<Output = F::Output> {
    DESTINATION.scope(Destination { origin: origin.to_owned(), early: true }, request)
}

/// Lets `request` to `origin` take a connection that was opened early.
pub(super) fn through<F: Future>(origin: &str, request: F) -> impl Future<Output = F::Output> {
    DESTINATION.scope(Destination { origin: origin.to_owned(), early: false }, request)
}

/// The layer around reqwest's connector.
#[derive(Debug)]
pub(super) struct EarlyConnections<C>(Opened<C>);

/// The connector with what it opened early.
#[derive(Debug)]
pub(super) struct EarlyConnector<S, C> {
    connector: S,
    opened: Opened<C>,
}

/// By origin.
type Opened<C> = Arc<Mutex<HashMap<String, Connecting<C>>>>;

/// A connection on its way. Dropped, it is given up.
#[derive(Debug)]
struct Connecting<C> {
    begun: Instant,
    task: JoinHandle<Result<(C, Instant), BoxError>>,
}

impl<C> Drop for Connecting<C> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl<C> Connecting<C> {
    /// Whether a request may still take it.
    fn is_fresh(&self) -> bool {
        self.begun.elapsed() < LONGEST_IDLE
    }

    /// The connection, if there is one on which the server still waits for a request.
    async fn connection(mut self) -> Option<C> {
        let (connection, since) = (&mut self.task).await.ok()?.ok()?;
        (since.elapsed() < LONGEST_IDLE).then_some(connection)
    }
}

impl<C> Default for EarlyConnections<C> {
    fn default() -> Self {
        Self(Opened::default())
    }
}

impl<C> Clone for EarlyConnections<C> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S: Clone, C> Clone for EarlyConnector<S, C> {
    fn clone(&self) -> Self {
        Self { connector: self.connector.clone(), opened: self.opened.clone() }
    }
}

impl<S, C> Layer<S> for EarlyConnections<C> {
    type Service = EarlyConnector<S, C>;

    fn layer(&self, connector: S) -> Self::Service {
        EarlyConnector { connector, opened: self.0.clone() }
    }
}

impl<S, R, C> Service<R> for EarlyConnector<S, C>
where
    S: Service<R, Response = C, Error = BoxError> + Clone + Send + 'static,
    S::Future: Send + 'static,
    R: Send + 'static,
    C: Send + 'static,
{
    type Response = C;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<C, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.connector.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let destination = DESTINATION.try_with(Destination::clone).ok();
        let mut connector = self.connector.clone();
        let connect = async move {
            poll_fn(|context| connector.poll_ready(context)).await?;
            connector.call(request).await
        };
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        match destination {
            Some(Destination { origin, early: true }) => {
                if !opened.get(&origin).is_some_and(Connecting::is_fresh) {
                    let task = tokio::spawn(async { Ok((connect.await?, Instant::now())) });
                    opened.insert(origin, Connecting { begun: Instant::now(), task });
                }
                Box::pin(async { Err("the connection is for a later request".into()) })
            }
            destination => {
                let early = destination.and_then(|destination| opened.remove(&destination.origin));
                Box::pin(async {
                    if let Some(early) = early
                        && let Some(connection) = early.connection().await
                    {
                        return Ok(connection);
                    }
                    connect.await
                })
            }
        }
    }
}
