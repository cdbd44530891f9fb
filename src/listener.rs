//! An HTTP server on loopback, where every user of the machine can connect.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

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

/// The most connections at a time, far below what a process may have open. One more ends the oldest: a client that
/// sends its request has its answer before as many others have connected.
const MOST: usize = 64;

/// How long a connection may take for its one request and the answer to it.
const LONGEST: Duration = Duration::from_secs(5);

/// How long it waits when the system has no resources for another connection.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// Answers for as long as it is polled. What it answers is not to be kept by anyone.
pub(crate) async fn serve(listener: TcpListener, routes: Router) -> Infallible {
    let routes = routes.layer(map_response(async |mut answer: Response| {
        answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        answer
    }));
    let mut http = http1::Builder::new();
    http.keep_alive(false);
    let mut connections: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        let accepted = listener.accept().await;
        connections.retain(|connection| !connection.is_finished());
        if (accepted.is_err() || connections.len() >= MOST)
            && let Some(oldest) = connections.pop_front()
        {
            oldest.abort();
        }
        if let Ok((stream, _)) = accepted {
            let service = TowerToHyperService::new(routes.clone());
            let connection = timeout(LONGEST, http.serve_connection(TokioIo::new(stream), service));
            // Whoever hangs up or sends nonsense gets no answer: nobody here wants to know.
            connections.push_back(tokio::spawn(async { drop(connection.await) }).abort_handle());
            // Those that are here have their turn before the next one comes.
            tokio::task::yield_now().await;
        } else {
            tokio::time::sleep(EXHAUSTED).await;
        }
    }
}
