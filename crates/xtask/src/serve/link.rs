//! A link with a round trip and one bandwidth for all connections together.
//!
//! It stands between the kernel's loopback and the server, in the server's process, so that it
//! needs neither root nor a kernel module:
//!
//! ```text
//! client -> kernel -> half a round trip -> server
//! client <- kernel <- half a round trip <- bandwidth, shared <- server
//! ```
//!
//! Opening a connection costs a round trip of its own: what comes within the first one is taken as
//! sent at its end. Connections take turns at the bandwidth, 16 KiB each. There is no loss, and no
//! slow start.

use std::{
    fmt, io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream},
    sync::mpsc,
    time::{Instant, sleep_until},
};

/// What goes at once before another connection has its turn.
const PIECE: usize = 16 * 1024;

/// How early a connection may hand over its next piece. Timers are a millisecond late, which must
/// not become bandwidth lost.
const AHEAD: Duration = Duration::from_millis(4);

/// Round trip and bandwidth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Link {
    pub(crate) round_trip: Duration,
    pub(crate) megabits: f64,
}

impl Link {
    /// Reads `RTT_MS,MBIT`, such as `40,200`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no link; `40,200` is one of 40 ms and 200 Mbit/s");
        let (milliseconds, megabits) = text.split_once(',').ok_or_else(wrong)?;
        let milliseconds: f64 = milliseconds.parse().map_err(|_| wrong())?;
        let megabits: f64 = megabits.parse().map_err(|_| wrong())?;
        // More than a minute, or less than a bit per millisecond, is a slip of the finger.
        if !(0.0..=60_000.0).contains(&milliseconds) || !(0.001..=1e6).contains(&megabits) {
            return Err(wrong());
        }
        Ok(Self { round_trip: Duration::from_secs_f64(milliseconds / 1000.0), megabits })
    }

    /// How long the link is busy with this many bytes.
    pub(crate) fn time_for(&self, bytes: u64) -> Duration {
        Duration::from_secs_f64(bytes as f64 * 8.0 / (self.megabits * 1e6))
    }
}

/// As [`Link::parse`] reads it.
impl fmt::Display for Link {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{},{}", self.round_trip.as_secs_f64() * 1000.0, self.megabits)
    }
}

/// A link in use.
#[derive(Debug)]
pub(crate) struct Pipe {
    link: Link,
    /// When the last piece that was handed over will have passed.
    busy_until: Mutex<Instant>,
}

impl Pipe {
    pub(crate) fn new(link: Link) -> Self {
        Self { link, busy_until: Mutex::new(Instant::now()) }
    }

    /// Takes the next free time of the link; returns when it ends.
    fn pass(&self, bytes: usize) -> Instant {
        let mut busy_until = self.busy_until.lock().unwrap_or_else(PoisonError::into_inner);
        *busy_until = (*busy_until).max(Instant::now()) + self.link.time_for(bytes as u64);
        *busy_until
    }

    /// Puts the link before a connection that was just accepted; returns the server's end.
    pub(crate) fn attach<S>(self: &Arc<Self>, stream: S) -> DuplexStream
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (inner, outer) = tokio::io::duplex(4 * PIECE);
        let (from_client, to_client) = tokio::io::split(stream);
        let (from_server, to_server) = tokio::io::split(outer);
        let half = self.link.round_trip / 2;
        let opened = Instant::now() + self.link.round_trip;
        tokio::spawn(delayed(from_client, to_server, move |_| {
            let sent = Instant::now().max(opened);
            (sent, sent + half)
        }));
        let pipe = Arc::clone(self);
        tokio::spawn(delayed(from_server, to_client, move |bytes| {
            let passed = pipe.pass(bytes);
            (passed.checked_sub(AHEAD).unwrap_or(passed), passed + half)
        }));
        inner
    }
}

/// Carries bytes from one end to the other. Told the size of a piece, `schedule` says when the next
/// one may be taken, and when this one arrives.
async fn delayed<R, W, S>(mut from: R, mut to: W, schedule: S) -> io::Result<()>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
    S: Fn(usize) -> (Instant, Instant) + Send + 'static,
{
    // The queue is what is under way; the bandwidth keeps it short.
    let (sender, mut receiver) = mpsc::channel::<(Instant, Bytes)>(4096);
    let reader = async move {
        let mut buffer = vec![0; PIECE];
        loop {
            let length = from.read(&mut buffer).await?;
            if length == 0 {
                return Ok(());
            }
            let piece = Bytes::copy_from_slice(&buffer[..length]);
            let (next, arrival) = schedule(length);
            if sender.send((arrival, piece)).await.is_err() {
                return Ok(());
            }
            sleep_until(next).await;
        }
    };
    let writer = async move {
        while let Some((arrival, piece)) = receiver.recv().await {
            sleep_until(arrival).await;
            to.write_all(&piece).await?;
        }
        to.shutdown().await
    };
    tokio::try_join!(reader, writer).map(|((), ())| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_parsed() {
        let link = Link::parse("40,200").unwrap();
        assert_eq!(link, Link { round_trip: Duration::from_millis(40), megabits: 200.0 });
        assert_eq!(link.to_string(), "40,200");
        assert_eq!(link.time_for(25_000_000), Duration::from_secs(1));
        for wrong in ["", "40", "40,", ",200", "40,0", "-1,200", "40;200", "nan,200", "40,inf"] {
            assert!(Link::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn connections_share_the_bandwidth_and_wait_a_round_trip() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let started = Instant::now();
            // 20 ms for each of two connections that send 100,000 bytes.
            let pipe = Arc::new(Pipe::new(Link::parse("30,40").unwrap()));
            let mut clients = Vec::new();
            for _ in 0..2 {
                let (client, server) = tokio::io::duplex(1 << 20);
                let mut inner = pipe.attach(server);
                tokio::spawn(async move {
                    let mut request = [0; 3];
                    inner.read_exact(&mut request).await.unwrap();
                    inner.write_all(&vec![7; 100_000]).await.unwrap();
                });
                clients.push(client);
            }
            for client in &mut clients {
                client.write_all(b"GET").await.unwrap();
            }
            let mut bytes = Vec::new();
            for client in &mut clients {
                client.read_to_end(&mut bytes).await.unwrap();
            }
            assert_eq!(bytes.len(), 200_000);
            let elapsed = started.elapsed();
            // A round trip to connect, one for the request, and 40 ms for the bytes.
            assert!(elapsed >= Duration::from_millis(99), "{elapsed:?}");
            assert!(elapsed < Duration::from_secs(20), "{elapsed:?}");
        });
    }
}
