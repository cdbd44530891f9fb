//! An HTTP server on loopback. Every user of the machine can connect to it.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io::ErrorKind;
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::middleware::map_response;
use axum::response::Response;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use tokio::time::timeout;

/// The maximum number of open connections, far below the limit of open files. Others wait in the
/// system's queue until one ends, or until the oldest has had [`REQUEST_GRACE`] for its request.
const MAX_CONNECTIONS: usize = 128;

/// The minimum time that a client has for its request: enough for one that opens hundreds of
/// connections before it sends a request. A thousand idle clients delay others by a second.
const REQUEST_GRACE: Duration = Duration::from_millis(100);

/// The time limit of a connection for its single request and the reply.
const CONNECTION_LIMIT: Duration = Duration::from_secs(5);

/// How often the server checks whether a connection has ended.
const POLL: Duration = Duration::from_millis(2);

/// How long the server waits if the system has no resources for another connection.
const RESOURCE_WAIT: Duration = Duration::from_millis(100);

/// Serves requests as long as the future is polled. Every reply forbids caching.
pub(crate) async fn serve(listener: TcpListener, routes: Router) -> Infallible {
    let routes = routes.layer(map_response(async |mut answer: Response| {
        answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        answer
    }));
    let mut http = http1::Builder::new();
    http.keep_alive(false);
    let mut connections: VecDeque<(Instant, AbortHandle)> = VecDeque::new();
    loop {
        connections.retain(|(_, connection)| !connection.is_finished());
        if connections.len() >= MAX_CONNECTIONS
            && let Some((since, oldest)) = connections.front()
        {
            if since.elapsed() >= REQUEST_GRACE {
                oldest.abort();
                connections.pop_front();
            } else {
                tokio::time::sleep(POLL).await;
                continue;
            }
        }
        let accepted = listener.accept().await;
        if let Err(error) = &accepted
            && let ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted =
                error.kind()
        {
            continue;
        }
        if accepted.is_err()
            && let Some((_, oldest)) = connections.pop_front()
        {
            oldest.abort();
        }
        if let Ok((stream, _)) = accepted {
            let service = TowerToHyperService::new(routes.clone());
            let connection = timeout(CONNECTION_LIMIT, http.serve_connection(TokioIo::new(stream), service));
            // A client that disconnects or sends an invalid request gets no answer. The server ignores this error.
            let task = tokio::spawn(async { drop(connection.await) });
            connections.push_back((Instant::now(), task.abort_handle()));
            // Let the open connections make progress before the next one is accepted.
            tokio::task::yield_now().await;
        } else {
            tokio::time::sleep(RESOURCE_WAIT).await;
        }
    }
}
