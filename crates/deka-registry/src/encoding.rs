//! Undoing what `Content-Encoding` says, in one go and within a limit.
//!
//! Packuments come whole before they are decoded, so nothing is streamed: libdeflate inflates a
//! buffer about twice as fast as a streaming inflater. Lengths that a body claims for itself are hints.

use std::io::{self, Read as _};

use http::HeaderMap;
use http::header::{CONTENT_ENCODING, HeaderValue};

use crate::error::Reason;

/// What is asked for. Brotli is the smallest and by far the slowest to undo, so it comes last; registries
/// keep their packuments compressed in any of them.
pub(crate) const ACCEPTED: HeaderValue = HeaderValue::from_static("gzip, zstd, br;q=0.8");

/// How a body is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Identity,
    Gzip,
    Zstd,
    Brotli,
}

impl Encoding {
    /// Reads the header; the error says what can't be undone.
    pub(crate) fn of(headers: &HeaderMap) -> io::Result<Self> {
        let Some(value) = headers.get(CONTENT_ENCODING) else { return Ok(Self::Identity) };
        match value.as_bytes().trim_ascii().to_ascii_lowercase().as_slice() {
            b"" | b"identity" => Ok(Self::Identity),
            b"gzip" | b"x-gzip" => Ok(Self::Gzip),
            b"zstd" => Ok(Self::Zstd),
            b"br" => Ok(Self::Brotli),
            _ => Err(invalid("it has a content encoding that was not asked for")),
        }
    }

    /// Returns what was packed into `body`, if it has no more than `limit` bytes.
    pub(crate) fn decode(self, body: Vec<u8>, limit: u64) -> io::Result<Vec<u8>> {
        let decoded = match self {
            Self::Identity => body,
            Self::Gzip => return inflate(&body, usize::try_from(limit).unwrap_or(usize::MAX)),
            Self::Zstd => {
                let hint = zstd::bulk::Decompressor::upper_bound(&body).unwrap_or(0);
                let decoder = zstd::stream::read::Decoder::with_buffer(body.as_slice())?;
                read_limited(decoder, hint, limit)?
            }
            Self::Brotli => {
                let decoder = brotli_decompressor::Decompressor::new(body.as_slice(), 64 * 1024);
                read_limited(decoder, body.len() * 4, limit)?
            }
        };
        if decoded.len() as u64 > limit {
            return Err(invalid("it unpacks to more than deka accepts"));
        }
        Ok(decoded)
    }
}

/// What a claimed length may reserve before a byte of it was seen.
const RESERVED: usize = 32 * 1024 * 1024;

fn read_limited(reader: impl io::Read, hint: usize, limit: u64) -> io::Result<Vec<u8>> {
    let mut decoded = Vec::with_capacity(hint.min(RESERVED));
    reader.take(limit.saturating_add(1)).read_to_end(&mut decoded)?;
    Ok(decoded)
}

fn inflate(body: &[u8], limit: usize) -> io::Result<Vec<u8>> {
    // The last four bytes are the length, modulo 2^32, if the body tells the truth; a byte of JSON can't
    // be packed into less than a thousandth.
    let claimed = body.last_chunk::<4>().map_or(0, |bytes| u32::from_le_bytes(*bytes) as usize);
    let mut capacity = claimed.clamp(body.len(), body.len().saturating_mul(1032)).min(limit);
    let mut decompressor = libdeflater::Decompressor::new();
    loop {
        let mut decoded = Vec::new();
        decoded.try_reserve_exact(capacity)?;
        decoded.resize(capacity, 0);
        match decompressor.gzip_decompress(body, &mut decoded) {
            Ok(length) => {
                decoded.truncate(length);
                return Ok(decoded);
            }
            Err(libdeflater::DecompressionError::BadData) => {
                return Err(invalid("its gzip data is damaged or cut"));
            }
            Err(libdeflater::DecompressionError::InsufficientSpace) if capacity < limit => {
                capacity = capacity.saturating_mul(4).clamp(1024, limit);
            }
            Err(libdeflater::DecompressionError::InsufficientSpace) => {
                return Err(invalid("it unpacks to more than deka accepts"));
            }
        }
    }
}

fn invalid(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, Reason(reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    const BROTLI_TEXT: &[u8] = b"hello hello hello hello";
    /// The same as Node's zlib packs it.
    const BROTLI: [u8; 20] = [
        0x1b, 0x16, 0x0, 0xf8, 0x8d, 0x94, 0x6e, 0xde, 0x44, 0x55, 0x86, 0x96, 0x6c, 0x20, 0x6f,
        0x21, 0x4f, 0x1c, 0xe0, 0x38,
    ];

    #[test]
    fn the_header_names_the_encoding() {
        let of = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(value));
            Encoding::of(&headers).ok()
        };
        assert_eq!(Encoding::of(&HeaderMap::new()).unwrap(), Encoding::Identity);
        assert_eq!(of("GZIP "), Some(Encoding::Gzip));
        assert_eq!(of("br"), Some(Encoding::Brotli));
        assert_eq!(of("zstd"), Some(Encoding::Zstd));
        assert_eq!(of("compress"), None);
        assert_eq!(of("gzip, br"), None);
    }

    #[test]
    fn bodies_are_unpacked() {
        let text = b"some text ".repeat(10_000);
        let check = |encoding: Encoding, packed: Vec<u8>| {
            assert_eq!(encoding.decode(packed, 1 << 20).unwrap(), text, "{encoding:?}");
        };
        check(Encoding::Identity, text.clone());
        check(Encoding::Gzip, gzip(&text));
        check(Encoding::Zstd, zstd::stream::encode_all(text.as_slice(), 3).unwrap());
        assert_eq!(Encoding::Brotli.decode(BROTLI.to_vec(), 100).unwrap(), BROTLI_TEXT);
    }

    #[test]
    fn lying_lengths_do_no_harm() {
        let text = b"some text ".repeat(10_000);
        for claimed in [0, 1, u32::MAX, 50_000] {
            let mut packed = gzip(&text);
            let at = packed.len() - 4;
            packed[at..].copy_from_slice(&claimed.to_le_bytes());
            // libdeflate compares the length at the end, as it has to.
            assert!(Encoding::Gzip.decode(packed, 1 << 20).is_err());
        }
        assert_eq!(Encoding::Gzip.decode(gzip(b""), 10).unwrap(), b"");
    }

    #[test]
    fn bombs_are_refused() {
        let text = vec![0; 1 << 20];
        for (encoding, packed) in [
            (Encoding::Identity, text.clone()),
            (Encoding::Gzip, gzip(&text)),
            (Encoding::Zstd, zstd::stream::encode_all(text.as_slice(), 3).unwrap()),
        ] {
            assert!(encoding.decode(packed.clone(), (1 << 20) - 1).is_err(), "{encoding:?}");
            assert_eq!(encoding.decode(packed, 1 << 20).unwrap().len(), 1 << 20);
        }
        assert!(Encoding::Brotli.decode(BROTLI.to_vec(), 5).is_err());
    }

    #[test]
    fn cut_bodies_are_errors() {
        let text: Vec<u8> = (0..100_000u32).flat_map(u32::to_le_bytes).collect();
        for (encoding, packed) in [
            (Encoding::Gzip, gzip(&text)),
            (Encoding::Zstd, zstd::stream::encode_all(text.as_slice(), 3).unwrap()),
            (Encoding::Brotli, BROTLI.to_vec()),
        ] {
            for length in [0, 1, packed.len() / 2, packed.len() - 1] {
                let cut = packed[..length].to_vec();
                assert!(encoding.decode(cut, 1 << 24).is_err(), "{encoding:?} {length}");
            }
        }
    }
}
