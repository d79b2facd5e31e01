//! The bytes of the state file.
//!
//! ```text
//! "deka-lnk" │ version u32 │ length of the rest u32 │ xxh3 of the rest u64 │ rest
//! rest: header, inputs, placements, folders of links, bin folders; numbers little-endian, texts with a length
//! ```
//! Read in one pass from front to back, so that the check can look at the disk while it reads and
//! copies nothing. Whatever is not exactly as expected is no state.

use xxhash_rust::xxh3::xxh3_64;

use super::{Input, InputState, LinkState, PlacedLink, PlacedLinks, PlacedPackage, Stamp, Summary};
use crate::path::{is_normal_inside, is_safe_name};
use crate::plan::Identity;

const MAGIC: &[u8; 8] = b"deka-lnk";
/// Goes up with every change of format or meaning; other versions are not read.
const VERSION: u32 = 2;
const HEADER_LENGTH: usize = 24;

const SEALED: u8 = 1;
const COMPLETE: u8 = 2;

/// Reads the state front to back; every read may find the end.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

/// The front of the state, borrowed.
pub(super) struct Head<'a> {
    pub(super) epoch: &'a str,
    pub(super) written_at: u64,
    pub(super) is_sealed: bool,
    pub(super) is_complete: bool,
    pub(super) settings: u64,
    pub(super) summary: Summary,
    pub(super) payload: &'a [u8],
}

/// A placement, borrowed.
pub(super) struct PlacementView<'a> {
    pub(super) path: &'a str,
    pub(super) identity: Identity,
    pub(super) stamp: Stamp,
    pub(super) unflushed_since: Option<u64>,
    pub(super) source_fingerprint: u64,
    pub(super) source_path: Option<&'a str>,
}

impl<'a> Reader<'a> {
    /// Begins to read if the checksum agrees.
    pub(super) fn open(bytes: &'a [u8]) -> Option<Self> {
        let (header, rest) = bytes.split_at_checked(HEADER_LENGTH)?;
        let mut header = Reader { rest: header };
        let is_ours = header.take(MAGIC.len())? == MAGIC && header.u32()? == VERSION;
        let length = header.u32()? as usize;
        let checksum = header.u64()?;
        (is_ours && length == rest.len() && xxh3_64(rest) == checksum).then_some(Self { rest })
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.u32()?;
        self.take(length as usize)
    }

    pub(super) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    /// Reads how many of something follow.
    pub(super) fn count(&mut self) -> Option<u32> {
        self.u32()
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn stamp(&mut self) -> Option<Stamp> {
        Some(Stamp { modified: self.i64()?, inode: self.u64()?, names: self.u64()? })
    }

    pub(super) fn head(&mut self) -> Option<Head<'a>> {
        let flags = self.u8()?;
        Some(Head {
            is_sealed: flags & SEALED != 0,
            is_complete: flags & COMPLETE != 0,
            epoch: self.text()?,
            written_at: self.u64()?,
            settings: self.u64()?,
            summary: Summary { installs: self.u32()?, packages: self.u32()? },
            payload: self.bytes()?,
        })
    }

    pub(super) fn input(&mut self) -> Option<(&'a str, InputState)> {
        let path = self.text()?;
        let state = match self.u8()? {
            0 => InputState::Absent,
            1 => InputState::File {
                size: self.u64()?,
                modified: self.i64()?,
                hash: u128::from_le_bytes(self.array()?),
            },
            2 => InputState::Folder { modified: self.i64()?, names: self.u64()? },
            _ => return None,
        };
        Some((path, state))
    }

    pub(super) fn placement(&mut self) -> Option<PlacementView<'a>> {
        let path = self.text()?;
        let identity = Identity(u128::from_le_bytes(self.array()?));
        let stamp = self.stamp()?;
        let unflushed_since = self.u64()?.checked_sub(1);
        let source_path = match self.u8()? {
            0 => None,
            _ => Some(self.text()?),
        };
        let source_fingerprint = if source_path.is_some() { self.u64()? } else { 0 };
        Some(PlacementView {
            path,
            identity,
            stamp,
            unflushed_since,
            source_fingerprint,
            source_path,
        })
    }

    fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.count()? as usize;
        // Every element takes at least a byte: a lying count reserves no more than the file's size.
        let mut list = Vec::with_capacity(count.min(self.rest.len()));
        for _ in 0..count {
            list.push(read(self)?);
        }
        Some(list)
    }

    fn links(&mut self) -> Option<Vec<PlacedLink>> {
        self.list(|reader| {
            Some(PlacedLink { name: reader.text()?.into(), target: reader.text()?.into() })
        })
    }

    fn link_folders(&mut self) -> Option<Vec<PlacedLinks>> {
        self.list(|reader| {
            Some(PlacedLinks {
                path: reader.text()?.into(),
                stamp: reader.stamp()?,
                links: reader.links()?,
            })
        })
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn u8(&mut self, number: u8) {
        self.0.push(number);
    }

    fn u32(&mut self, number: u32) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn u64(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn i64(&mut self, number: i64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.u32(bytes.len() as u32);
        self.0.extend_from_slice(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn stamp(&mut self, stamp: &Stamp) {
        self.i64(stamp.modified);
        self.u64(stamp.inode);
        self.u64(stamp.names);
    }

    fn link_folders(&mut self, folders: &[PlacedLinks]) {
        self.u32(folders.len() as u32);
        for folder in folders {
            self.text(&folder.path);
            self.stamp(&folder.stamp);
            self.u32(folder.links.len() as u32);
            for link in &folder.links {
                self.text(&link.name);
                self.text(&link.target);
            }
        }
    }

    fn input(&mut self, input: &Input) {
        self.text(&input.path);
        match &input.state {
            InputState::Absent => self.u8(0),
            InputState::File { size, modified, hash } => {
                self.u8(1);
                self.u64(*size);
                self.i64(*modified);
                self.0.extend_from_slice(&hash.to_le_bytes());
            }
            InputState::Folder { modified, names } => {
                self.u8(2);
                self.i64(*modified);
                self.u64(*names);
            }
        }
    }

    fn placement(&mut self, placed: &PlacedPackage) {
        self.text(&placed.path);
        self.0.extend_from_slice(&placed.identity.0.to_le_bytes());
        self.stamp(&placed.stamp);
        self.u64(placed.unflushed_since.map_or(0, |since| since.saturating_add(1)));
        match &placed.source_path {
            None => self.u8(0),
            Some(path) => {
                self.u8(1);
                self.text(path);
                self.u64(placed.source_fingerprint);
            }
        }
    }
}

impl LinkState {
    /// Returns the bytes of the state file.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer(Vec::with_capacity(1024 + 128 * self.placements.len()));
        writer.0.resize(HEADER_LENGTH, 0);
        let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
        writer.u8(flag(self.is_sealed, SEALED) | flag(self.is_complete, COMPLETE));
        writer.text(&self.epoch);
        writer.u64(self.written_at);
        writer.u64(self.settings);
        writer.u32(self.summary.installs);
        writer.u32(self.summary.packages);
        writer.bytes(&self.payload);
        writer.u32(self.inputs.len() as u32);
        for input in &self.inputs {
            writer.input(input);
        }
        writer.u32(self.placements.len() as u32);
        for placed in &self.placements {
            writer.placement(placed);
        }
        writer.link_folders(&self.link_folders);
        writer.link_folders(&self.bin_folders);

        let Writer(mut bytes) = writer;
        let (header, rest) = bytes.split_at_mut(HEADER_LENGTH);
        header[..8].copy_from_slice(MAGIC);
        header[8..12].copy_from_slice(&VERSION.to_le_bytes());
        header[12..16].copy_from_slice(&(rest.len() as u32).to_le_bytes());
        header[16..].copy_from_slice(&xxh3_64(rest).to_le_bytes());
        bytes
    }

    /// Whether all that a later install would remove lies in the project's folders: the state may
    /// have come with the project, from strangers.
    fn stays_inside(&self) -> bool {
        let is_inside = |path: &str| {
            is_normal_inside(path) && path.split('/').any(|name| name == "node_modules")
        };
        let mut link_folders = self.link_folders.iter().chain(&self.bin_folders);
        self.placements.iter().all(|placed| is_inside(&placed.path))
            && link_folders.all(|folder| {
                is_inside(&folder.path) && folder.links.iter().all(|link| is_safe_name(&link.name))
            })
    }

    /// Reads the bytes of a state file; `None` if they are not exactly what [`LinkState::encode`]
    /// of this version writes.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::open(bytes)?;
        let head = reader.head()?;
        let state = Self {
            epoch: head.epoch.to_owned(),
            written_at: head.written_at,
            is_sealed: head.is_sealed,
            is_complete: head.is_complete,
            settings: head.settings,
            summary: head.summary,
            payload: head.payload.to_vec(),
            inputs: reader.list(|reader| {
                let (path, state) = reader.input()?;
                Some(Input { path: path.into(), state })
            })?,
            placements: reader.list(|reader| {
                let view = reader.placement()?;
                Some(PlacedPackage {
                    path: view.path.into(),
                    identity: view.identity,
                    stamp: view.stamp,
                    unflushed_since: view.unflushed_since,
                    source_fingerprint: view.source_fingerprint,
                    source_path: view.source_path.map(Into::into),
                })
            })?,
            link_folders: reader.link_folders()?,
            bin_folders: reader.link_folders()?,
        };
        (reader.is_at_end() && state.stays_inside()).then_some(state)
    }
}
