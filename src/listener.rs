//! An HTTP server on loopback, where every user of the machine can connect.

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

/// The most connections at a time, far below what a process may have open. Others wait in the system's queue until one
/// ends, or until the oldest has had [`GRACE`] for its request.
const MOST: usize = 128;

/// How long a client surely has for its request. Enough for one that opens hundreds of connections before it sends
/// anything; a thousand that send nothing hold up the others for a second.
const GRACE: Duration = Duration::from_millis(100);

/// How long a connection may take for its one request and the answer to it.
const LONGEST: Duration = Duration::from_secs(5);

/// How often it is looked whether one has ended.
const POLL: Duration = Duration::from_millis(2);

/// How long it waits when the system has no resources for another connection.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// Serves requests for as long as the future is polled. Every answer forbids caching.
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
        if connections.len() >= MOST
            && let Some((since, oldest)) = connections.front()
        {
            if since.elapsed() >= GRACE {
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
            let connection = timeout(LONGEST, http.serve_connection(TokioIo::new(stream), service));
            // A client that disconnects or sends an invalid request gets no answer. The server ignores this error.
            let task = tokio::spawn(async { drop(connection.await) });
            connections.push_back((Instant::now(), task.abort_handle()));
            // Those that are here have their turn before the next one comes.
            tokio::task::yield_now().await;
        } else {
            tokio::time::sleep(EXHAUSTED).await;
        }
    }
}
