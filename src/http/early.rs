//! Connections that are opened before their request is ready.
//!
//! A request needs DNS, TCP and TLS before it is sent: three round trips, the request included. The
//! address of a later request is often known before the request can be sent, so the first two round
//! trips are made in the meantime. Nothing is sent on such a connection before its request. If an
//! early connection fails, it is discarded: the request opens its own connection and reports its
//! own error.
//!
//! reqwest cannot open a connection without a request, but it accepts a layer around its connector.
//! A request within [`open`] fails in that layer, and the layer keeps the connection. The next
//! request within [`reuse`] to the same origin takes it. Proxies, time limits and TLS are those
//! of the client.

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

/// The maximum age of an unused connection. Servers close one without a request after 5 s or more.
pub(super) const LONGEST_IDLE: Duration = Duration::from_secs(3);

type BoxError = Box<dyn Error + Send + Sync>;

#[derive(Clone)]
struct Destination {
    origin: String,
    early: bool,
}

tokio::task_local! {
    /// The destination of the request that is being polled. The connector reads it.
    static DESTINATION: Destination;
}

/// Opens and keeps the connection for `request` to `origin`. The request itself fails.
pub(super) fn open<F: Future>(origin: &str, request: F) -> impl Future<Output = F::Output> {
    DESTINATION.scope(Destination { origin: origin.to_owned(), early: true }, request)
}

/// Lets `request` to `origin` use a connection that was opened early.
pub(super) fn reuse<F: Future>(origin: &str, request: F) -> impl Future<Output = F::Output> {
    DESTINATION.scope(Destination { origin: origin.to_owned(), early: false }, request)
}

/// The layer around reqwest's connector.
#[derive(Debug)]
pub(super) struct EarlyConnections<C>(Opened<C>);

/// The connector with the connections that were opened early.
#[derive(Debug)]
pub(super) struct EarlyConnector<S, C> {
    connector: S,
    opened: Opened<C>,
}

/// By origin.
type Opened<C> = Arc<Mutex<HashMap<String, Connecting<C>>>>;

/// A connection that is being opened, and the time when it was ready. Dropping this cancels it.
#[derive(Debug)]
struct Connecting<C>(JoinHandle<Result<(C, Instant), BoxError>>);

impl<C> Drop for Connecting<C> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<C> Connecting<C> {
    /// The connection, if it was opened and is not too old.
    async fn connection(mut self) -> Option<C> {
        let (connection, since) = (&mut self.0).await.ok()?.ok()?;
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
                let task = tokio::spawn(async { Ok((connect.await?, Instant::now())) });
                opened.insert(origin, Connecting(task));
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Opens connections, and numbers them.
    #[derive(Clone, Default)]
    struct Connector(Arc<Mutex<u32>>);

    impl Service<()> for Connector {
        type Response = u32;
        type Error = BoxError;
        type Future = std::future::Ready<Result<u32, BoxError>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, (): ()) -> Self::Future {
            let mut count = self.0.lock().unwrap();
            *count += 1;
            std::future::ready(Ok(*count))
        }
    }

    async fn open_connection(connector: &mut EarlyConnector<Connector, u32>, origin: &str) {
        let ended = open(origin, async { connector.call(()).await }).await;
        assert!(ended.is_err(), "the request itself is not sent");
        // A separate task opens the connection.
        tokio::task::yield_now().await;
    }

    async fn request(connector: &mut EarlyConnector<Connector, u32>, origin: &str) -> u32 {
        reuse(origin, async { connector.call(()).await }).await.unwrap()
    }

    #[tokio::test]
    async fn a_request_takes_the_connection_to_its_origin_once() {
        let mut connector = EarlyConnections::default().layer(Connector::default());
        open_connection(&mut connector, "a").await;
        open_connection(&mut connector, "b").await;
        assert_eq!(request(&mut connector, "c").await, 3);
        assert_eq!(request(&mut connector, "b").await, 2);
        assert_eq!(request(&mut connector, "b").await, 4);
        assert_eq!(request(&mut connector.clone(), "a").await, 1);
    }

    #[tokio::test]
    async fn an_old_connection_is_not_used() {
        let mut connector = EarlyConnections::default().layer(Connector::default());
        let task = tokio::spawn(async { Ok((7, Instant::now().checked_sub(LONGEST_IDLE).unwrap())) });
        connector.opened.lock().unwrap().insert("a".to_owned(), Connecting(task));
        assert_eq!(request(&mut connector, "a").await, 1);
    }
}
