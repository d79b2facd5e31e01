//! The body of a large tarball on its way to the thread that unpacks it.
//!
//! Blocks go one way, and come back to be filled again. There are few of them: if nobody takes them, the
//! network waits, and the server with it.

use std::io::{self, ErrorKind, Read};
use std::sync::mpsc as std_mpsc;

use tokio::sync::mpsc;

/// A block is sent when it holds this much.
const BLOCK_BYTES: usize = 256 << 10;
/// Blocks that wait to be taken.
const BLOCKS: usize = 4;

/// Where a body is put in. If it is dropped before the end was said, what comes out is cut off.
#[derive(Debug)]
pub struct Pipe {
    /// An empty block is the end.
    full: mpsc::Sender<Vec<u8>>,
    emptied: std_mpsc::Receiver<Vec<u8>>,
    block: Vec<u8>,
}

/// Where it comes out, for a thread that may wait.
#[derive(Debug)]
pub struct Pieces {
    full: mpsc::Receiver<Vec<u8>>,
    emptied: std_mpsc::Sender<Vec<u8>>,
    block: Vec<u8>,
    position: usize,
    is_ended: bool,
}

/// The other end is gone.
#[derive(Debug)]
pub(crate) struct NobodyReads;

/// Makes both ends.
pub fn pipe() -> (Pipe, Pieces) {
    let (full, receive_full) = mpsc::channel(BLOCKS);
    let (send_emptied, emptied) = std_mpsc::channel();
    let pipe = Pipe { full, emptied, block: Vec::new() };
    let pieces = Pieces {
        full: receive_full,
        emptied: send_emptied,
        block: Vec::new(),
        position: 0,
        is_ended: false,
    };
    (pipe, pieces)
}

impl Pipe {
    /// Puts bytes in; waits while too many have not been taken.
    pub(crate) async fn put(&mut self, mut bytes: &[u8]) -> Result<(), NobodyReads> {
        while !bytes.is_empty() {
            if self.block.capacity() == 0 {
                self.block = self.emptied.try_recv().unwrap_or_default();
                self.block.reserve_exact(BLOCK_BYTES);
            }
            let room = BLOCK_BYTES - self.block.len();
            let (fitting, rest) = bytes.split_at(bytes.len().min(room));
            self.block.extend_from_slice(fitting);
            bytes = rest;
            if self.block.len() == BLOCK_BYTES {
                self.send().await?;
            }
        }
        Ok(())
    }

    /// Says that this was all.
    pub(crate) async fn end(mut self) -> Result<(), NobodyReads> {
        if !self.block.is_empty() {
            self.send().await?;
        }
        self.send().await
    }

    async fn send(&mut self) -> Result<(), NobodyReads> {
        let block = std::mem::take(&mut self.block);
        self.full.send(block).await.map_err(|_| NobodyReads)
    }
}

impl Pieces {
    /// Whether reading would not have to wait.
    pub fn is_ready(&self) -> bool {
        self.position < self.block.len() || self.is_ended || !self.full.is_empty()
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.position == self.block.len() && !self.is_ended {
            let Some(next) = self.full.blocking_recv() else {
                let reason = "the connection or the install ended before it did";
                return Err(io::Error::new(ErrorKind::UnexpectedEof, reason));
            };
            self.is_ended = next.is_empty();
            let mut empty = std::mem::replace(&mut self.block, next);
            self.position = 0;
            empty.clear();
            // The pipe may be gone: all was put in.
            drop(self.emptied.send(empty));
        }
        let rest = &self.block[self.position..];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.position += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().build().unwrap()
    }

    #[test]
    fn all_comes_out_and_few_blocks_are_made() {
        let (mut pipe, mut pieces) = pipe();
        let bytes: Vec<u8> = (0..40 * BLOCK_BYTES + 7).map(|at| (at % 251) as u8).collect();
        let expected = bytes.clone();
        let reader = std::thread::spawn(move || {
            let mut read = Vec::new();
            pieces.read_to_end(&mut read).map(|_| (read, pieces))
        });
        runtime().block_on(async {
            for piece in bytes.chunks(70_001) {
                pipe.put(piece).await.unwrap();
            }
            pipe.end().await.unwrap();
        });
        let (read, mut pieces) = reader.join().unwrap().unwrap();
        assert!(read == expected);
        assert_eq!(pieces.read(&mut [0]).unwrap(), 0);
    }

    #[test]
    fn it_waits_until_blocks_are_taken() {
        let (mut pipe, pieces) = pipe();
        let bytes = vec![1; BLOCK_BYTES];
        let runtime = runtime();
        for _ in 0..BLOCKS {
            runtime.block_on(pipe.put(&bytes)).unwrap();
        }
        let mut put = std::pin::pin!(pipe.put(&bytes));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(put.as_mut().poll(&mut context).is_pending());
        drop(pieces);
        assert!(runtime.block_on(put).is_err());
    }

    #[test]
    fn what_is_cut_off_is_an_error() {
        let (mut pipe, mut pieces) = pipe();
        runtime().block_on(pipe.put(&vec![1; BLOCK_BYTES])).unwrap();
        drop(pipe);
        let mut read = Vec::new();
        let error = pieces.read_to_end(&mut read).unwrap_err();
        assert_eq!((read.len(), error.kind()), (BLOCK_BYTES, ErrorKind::UnexpectedEof));
    }
}
