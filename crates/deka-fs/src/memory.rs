//! Large buffers: without a page fault for every four kilobytes, and given back when they are done with.

/// Smaller buffers hold too few huge pages to gain by them.
const SMALLEST: usize = 4 << 20;

/// Reserves room for `additional` more bytes, as [`Vec::try_reserve_exact`] does, and has the kernel
/// back it with huge pages if it is large and the system has them.
///
/// To be called before the room is written to: each page that is touched first costs a fault, and for
/// a tarball of 40 MB these took as long as receiving it.
pub fn reserve_large(
    bytes: &mut Vec<u8>,
    additional: usize,
) -> Result<(), std::collections::TryReserveError> {
    bytes.try_reserve_exact(additional)?;
    let room = bytes.spare_capacity_mut();
    if room.len() >= SMALLEST {
        #[cfg(target_os = "linux")]
        advise(room, rustix::mm::Advice::LinuxHugepage);
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn advise(room: &mut [std::mem::MaybeUninit<u8>], advice: rustix::mm::Advice) {
    /// The largest base page that Linux has; the advice is about whole pages.
    const PAGE: usize = 64 << 10;

    let start = room.as_ptr().align_offset(PAGE);
    let Some(whole) = room.len().checked_sub(start).map(|length| length / PAGE * PAGE) else {
        return;
    };
    let pages = room[start..start + whole].as_mut_ptr().cast();
    #[expect(unsafe_code, reason = "advice about memory is given by address")]
    // SAFETY: the pages are within `room`, and no advice that is given here changes what memory contains.
    let advised = unsafe { rustix::mm::madvise(pages, whole, advice) };
    // A system that can't is only slower.
    advised.unwrap_or_default();
}

/// Has every buffer of a quarter of a megabyte and more go back to the system as soon as it is freed.
///
/// Left to itself, glibc keeps larger and larger ones in the heap, one heap for each thread. What was kept
/// there after an install had unpacked tarballs was a third of its peak memory, and no time was won by it.
pub fn give_back_large_buffers() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        const LARGE: libc::c_int = 256 << 10;
        #[expect(unsafe_code, reason = "the allocator is C's")]
        // SAFETY: it is called with one of its parameters, and changes nothing that is allocated.
        let is_set = unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE) };
        // If it can't be set, more memory is kept.
        let _ = is_set;
    }
}

/// Has the heap of the calling thread ready for so many bytes of small pieces.
///
/// To be called when it is known that they will be needed. Each page that is touched first costs a fault; to
/// have the kernel map them all at once costs half of that.
pub fn prepare_heap(bytes: usize) {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        /// What more would do is not worth what it takes if it is not used.
        const MOST: usize = 16 << 20;

        let bytes = bytes.min(MOST);
        // It is to come from the heap, and to stay there when it is given back.
        let more = libc::c_int::try_from(2 * bytes).unwrap_or(libc::c_int::MAX);
        #[expect(unsafe_code, reason = "the allocator is C's")]
        // SAFETY: it is called with its parameters, and changes nothing that is allocated.
        let is_set = unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, more)
                & libc::mallopt(libc::M_TRIM_THRESHOLD, more)
        };
        let mut piece: Vec<u8> = Vec::new();
        if is_set == 1 && piece.try_reserve_exact(bytes).is_ok() {
            advise(piece.spare_capacity_mut(), rustix::mm::Advice::LinuxPopulateWrite);
        }
        drop(piece);
        give_back_large_buffers();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_kept() {
        for room in [0, 1, SMALLEST - 1, SMALLEST, 3 * SMALLEST + 1] {
            let mut bytes = b"before".to_vec();
            reserve_large(&mut bytes, room).unwrap();
            assert!(bytes.capacity() >= 6 + room);
            bytes.extend(std::iter::repeat_n(7, room));
            assert_eq!(&bytes[..6], b"before");
            assert!(bytes[6..].iter().all(|byte| *byte == 7), "{room}");
        }
        assert!(reserve_large(&mut Vec::new(), usize::MAX).is_err());
    }

    #[test]
    fn a_heap_of_any_size_is_prepared() {
        for bytes in [0, 1, 1 << 20, usize::MAX] {
            prepare_heap(bytes);
            let pieces: Vec<Vec<u8>> = (0..100).map(|length| vec![1; length]).collect();
            assert!(pieces.iter().flatten().all(|byte| *byte == 1));
        }
    }
}
