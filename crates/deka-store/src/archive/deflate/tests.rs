use std::io::Write as _;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use proptest::prelude::*;

use super::*;

/// Inflates with windows that hold `room` bytes beside the history, and `step` more bytes of the input
/// each time; also returns the bytes behind.
fn inflate_in_steps(
    input: &[u8],
    room: usize,
    step: usize,
) -> Result<(Vec<u8>, Vec<u8>), ArchiveError> {
    let mut decoder = Decoder::new();
    let mut window = vec![0; HISTORY + room + MARGIN];
    let (mut output, mut end) = (Vec::new(), 0);
    let (mut taken, mut there) = (0, 0);
    loop {
        if there - taken < LEAST_INPUT {
            there = (there + step).max(taken + LEAST_INPUT).min(input.len());
        }
        let kept = output.len().min(HISTORY);
        window.copy_within(end - kept..end, 0);
        let before = taken;
        let is_all = there == input.len();
        let progress = decoder.decode(&input[taken..there], is_all, &mut window, kept)?;
        taken += progress.taken;
        end = progress.end;
        output.extend_from_slice(&window[kept..end]);
        // Nobody may trust what lies behind.
        window[end..].fill(0xaa);
        if decoder.is_done() {
            return Ok((output, input[taken..].to_vec()));
        }
        assert!(end > kept || taken > before, "it neither goes on nor ends");
    }
}

/// Inflates with windows that hold `room` bytes beside the history, the input whole and in pieces.
fn inflate(input: &[u8], room: usize) -> Result<(Vec<u8>, Vec<u8>), ArchiveError> {
    let whole = inflate_in_steps(input, room, input.len());
    for (step, longest) in [(1, 20_000), (777, usize::MAX)] {
        if (step..longest).contains(&input.len()) {
            let found = inflate_in_steps(input, room, step);
            assert!(found == whole, "{step}: {:?}", &input[..input.len().min(100)]);
        }
    }
    whole
}

/// What zlib-rs makes of the same bytes.
fn reference(input: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut decompress = Decompress::new(false);
    let mut output = Vec::with_capacity(1 << 22);
    let status = decompress.decompress_vec(input, &mut output, FlushDecompress::Finish).ok()?;
    assert!(output.len() < output.capacity(), "the test needs more room");
    (status == Status::StreamEnd)
        .then(|| (output, input[decompress.total_in() as usize..].to_vec()))
}

fn check(input: &[u8]) {
    let expected = reference(input);
    for room in [1, 700, 100_000] {
        let found = inflate(input, room).ok();
        assert!(found == expected, "{room}: {:?}", &input[..input.len().min(100)]);
    }
}

fn deflate(bytes: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A row of numbers that look random.
fn random(mut state: u64) -> impl FnMut(usize) -> usize {
    move |below| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below.max(1)
    }
}

/// Bytes with matches of all lengths and distances, among literals of some of the 256 values.
fn mixture(seed: u64, length: usize) -> Vec<u8> {
    let mut random = random(seed);
    let values = 1 + random(256);
    let mut bytes = Vec::new();
    while bytes.len() < length {
        for _ in 0..random(30) {
            bytes.push((random(values).min(random(values))) as u8);
        }
        let (distance, length) = match random(4) {
            0 => (1 + random(20), 3 + random(300)),
            1 => (1 + random(40_000), 3 + random(300)),
            _ => (1 + random(2000), 3 + random(20)),
        };
        for _ in 0..length.min(if distance > bytes.len() { 0 } else { length }) {
            bytes.push(bytes[bytes.len() - distance]);
        }
    }
    bytes
}

#[test]
fn what_zlib_packs_is_unpacked() {
    for seed in 0..300 {
        let bytes = mixture(seed, [0, 1, 50, 5_000, 300_000][seed as usize % 5]);
        for level in [0, 1, 6, 9] {
            let packed = deflate(&bytes, level);
            for room in [1, 5_000, 1 << 20] {
                let (found, rest) = inflate(&packed, room).unwrap();
                assert!(found == bytes, "seed {seed}, level {level}, room {room}");
                assert!(rest.is_empty());
            }
            let with_more = [&packed[..], &b"more"[..]].concat();
            assert_eq!(inflate(&with_more, 5_000).unwrap().1, b"more");
        }
    }
}

#[test]
fn every_kind_of_block_follows_every_other() {
    let mut bytes = Vec::new();
    let mut packed = Vec::new();
    for (index, level) in [0, 9, 1, 0, 0, 6, 9].into_iter().enumerate() {
        // Flushing ends with an empty stored block, and blocks of one or two bytes have fixed codes.
        for length in [1, 2, 70_000] {
            let part = mixture(index as u64, length);
            let mut compress = Compress::new(Compression::new(level), false);
            let mut out = Vec::with_capacity(200_000);
            compress.compress_vec(&part, &mut out, FlushCompress::Full).unwrap();
            assert_eq!(compress.total_in(), part.len() as u64);
            bytes.extend(part);
            packed.extend(out);
        }
    }
    packed.extend(deflate(b"end", 9));
    bytes.extend(b"end");
    check(&packed);
    assert!(inflate(&packed, 3000).unwrap().0 == bytes);
}

#[test]
fn cut_input_is_an_error() {
    for (level, length) in [(0, 100), (1, 2000), (9, 3000)] {
        let packed = deflate(&mixture(7, length), level);
        for cut in 0..packed.len() {
            assert!(inflate(&packed[..cut], 1000).is_err(), "{level}: {cut}");
        }
    }
}

#[test]
fn odd_headers_get_the_answer_of_zlib() {
    // All beginnings of a block: kinds, numbers of codes, first lengths; with many ends.
    for start in 0..=u16::MAX {
        let mut random = random(u64::from(start));
        let mut input = start.to_le_bytes().to_vec();
        input.extend((0..60).map(|_| random(256) as u8));
        let expected = reference(&input);
        assert!(inflate(&input, 4000).ok() == expected, "{input:?}");
    }
}

proptest! {
    /// Whatever the bytes are, the answer is that of zlib-rs.
    #[test]
    fn damaged_input_gets_the_answer_of_zlib(
        seed in any::<u64>(),
        length in 0..20_000_usize,
        level in 0..10_u32,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        only_begin in any::<bool>(),
    ) {
        let mut packed = deflate(&mixture(seed, length), level);
        for (at, byte) in damage {
            let end = if only_begin { packed.len().min(100) } else { packed.len() };
            packed[at.index(end)] = byte;
        }
        check(&packed);
    }
}
