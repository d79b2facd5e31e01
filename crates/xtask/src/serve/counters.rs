//! What went over the wire, counted where it leaves for the kernel.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// Counts since they were taken last.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Requests of any kind.
    pub(crate) requests: AtomicU64,
    /// Of those, the ones for packages that nothing was recorded of.
    pub(crate) missing: AtomicU64,
    /// Connections accepted.
    pub(crate) connections: AtomicU64,
    /// Bytes sent, with headers and TLS.
    pub(crate) sent: AtomicU64,
}

/// Counts as they go from one process to the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traffic {
    pub(crate) requests: u64,
    pub(crate) missing: u64,
    pub(crate) connections: u64,
    pub(crate) bytes: u64,
}

impl Counters {
    /// Returns the counts and starts again at zero.
    pub(crate) fn take(&self) -> Traffic {
        Traffic {
            requests: self.requests.swap(0, Relaxed),
            missing: self.missing.swap(0, Relaxed),
            connections: self.connections.swap(0, Relaxed),
            bytes: self.sent.swap(0, Relaxed),
        }
    }
}

impl Traffic {
    /// As one line of JSON.
    pub(crate) fn to_json(self) -> Value {
        let Self { requests, missing, connections, bytes } = self;
        json!({
            "requests": requests,
            "missing": missing,
            "connections": connections,
            "bytes": bytes,
        })
    }

    /// From what [`Traffic::to_json`] wrote.
    pub(crate) fn from_json(line: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(line).ok()?;
        let number = |name: &str| value.get(name)?.as_u64();
        Some(Self {
            requests: number("requests")?,
            missing: number("missing")?,
            connections: number("connections")?,
            bytes: number("bytes")?,
        })
    }
}

/// A connection whose outgoing bytes are counted.
pub(crate) struct Counted {
    stream: TcpStream,
    counters: Arc<Counters>,
}

impl Counted {
    pub(crate) fn new(stream: TcpStream, counters: Arc<Counters>) -> Self {
        counters.connections.fetch_add(1, Relaxed);
        Self { stream, counters }
    }

    fn count(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(written)) = written {
            self.counters.sent.fetch_add(written as u64, Relaxed);
        }
        written
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.count(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, buffers);
        self.count(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_cross_a_pipe_and_start_again() {
        let counters = Counters::default();
        counters.requests.store(7, Relaxed);
        counters.sent.store(1 << 40, Relaxed);
        let traffic = counters.take();
        assert_eq!(traffic, Traffic { requests: 7, bytes: 1 << 40, ..Traffic::default() });
        assert_eq!(Traffic::from_json(&traffic.to_json().to_string()), Some(traffic));
        assert_eq!(counters.take(), Traffic::default());
    }
}
