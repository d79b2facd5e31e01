//! Calls of programs that somebody else answers (Linux: seccomp's user notifications, see `seccomp_unotify(2)`).

use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

/// What a filter returns for a call that is to be answered by a [`CallListener`].
pub const ASK_LISTENER: u32 = libc::SECCOMP_RET_USER_NOTIF;

/// One instruction of a filter, as the kernel has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilterInstruction {
    /// What to do.
    pub code: u16,
    /// How many instructions to skip if it holds.
    pub jump_true: u8,
    /// How many instructions to skip if it does not.
    pub jump_false: u8,
    /// What it is done with.
    pub operand: u32,
}

/// Hears of calls that wait for an answer.
#[derive(Debug)]
pub struct CallListener(OwnedFd);

impl CallListener {
    /// Puts a filter on this thread and on all that it starts from now on. The thread must not be able to gain
    /// privileges (`no_new_privs`). It fails before Linux 5.0, and where there is such a listener already.
    pub fn start(filter: &[FilterInstruction]) -> io::Result<Self> {
        has_known_sizes()?;
        let mut filter: Vec<libc::sock_filter> = filter
            .iter()
            .map(|instruction| libc::sock_filter {
                code: instruction.code,
                jt: instruction.jump_true,
                jf: instruction.jump_false,
                k: instruction.operand,
            })
            .collect();
        let length = u16::try_from(filter.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        let program = libc::sock_fprog { len: length, filter: filter.as_mut_ptr() };
        #[expect(unsafe_code, reason = "no safe wrapper of this call is among the dependencies")]
        // SAFETY: `program` and the `filter` that it points to live until the call is over, and the kernel
        // keeps a copy; it checks the instructions itself.
        let result = unsafe {
            libc::syscall(
                libc::SYS_seccomp,
                libc::SECCOMP_SET_MODE_FILTER,
                libc::SECCOMP_FILTER_FLAG_NEW_LISTENER,
                &raw const program,
            )
        };
        let Ok(descriptor) = i32::try_from(result) else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        if descriptor < 0 {
            return Err(io::Error::last_os_error());
        }
        #[expect(unsafe_code, reason = "the call returns a number")]
        // SAFETY: the kernel has just opened this descriptor, and nobody else knows of it.
        let descriptor = unsafe { OwnedFd::from_raw_fd(descriptor) };
        Ok(Self(descriptor))
    }

    /// Refuses every call with `error` until nobody is left that could make one; `hear` is told of each before
    /// it is answered.
    pub fn refuse_all(self, error: i32, mut hear: impl FnMut()) {
        while let Some(id) = self.next_call() {
            hear();
            let mut answer = libc::seccomp_notif_resp { id, val: 0, error: -error.abs(), flags: 0 };
            #[expect(
                unsafe_code,
                reason = "no safe wrapper of this call is among the dependencies"
            )]
            // SAFETY: the descriptor is a listener's, and `answer` is what it reads for this request.
            let result = unsafe {
                libc::ioctl(self.0.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SEND, &raw mut answer)
            };
            // An error means that the one who called does not wait any more.
            let _ = result;
        }
    }

    /// Waits for the next call; `None` if there will be none.
    fn next_call(&self) -> Option<u64> {
        loop {
            let mut events = [PollFd::from_borrowed_fd(self.0.as_fd(), PollFlags::IN)];
            match poll(&mut events, None) {
                Ok(_) if events[0].revents().contains(PollFlags::IN) => {}
                Err(Errno::INTR) => continue,
                Ok(_) | Err(_) => return None,
            }
            #[expect(unsafe_code, reason = "libc's structs have no other beginning")]
            // SAFETY: numbers only, for which zero is a value; the kernel insists on zeros.
            let mut call: libc::seccomp_notif = unsafe { std::mem::zeroed() };
            #[expect(
                unsafe_code,
                reason = "no safe wrapper of this call is among the dependencies"
            )]
            // SAFETY: the descriptor is a listener's, and `call` has the size that it writes for this
            // request, which `has_known_sizes` has made sure of.
            let result = unsafe {
                libc::ioctl(self.0.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_RECV, &raw mut call)
            };
            if result == 0 {
                return Some(call.id);
            }
            match Errno::from_io_error(&io::Error::last_os_error()) {
                // Who called was interrupted or killed meanwhile.
                Some(Errno::NOENT | Errno::INTR) => {}
                _ => return None,
            }
        }
    }
}

/// Fails if this kernel writes more than is known here.
fn has_known_sizes() -> io::Result<()> {
    let mut sizes =
        libc::seccomp_notif_sizes { seccomp_notif: 0, seccomp_notif_resp: 0, seccomp_data: 0 };
    #[expect(unsafe_code, reason = "no safe wrapper of this call is among the dependencies")]
    // SAFETY: `sizes` is what the kernel writes for this request.
    let result = unsafe {
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_GET_NOTIF_SIZES, 0, &raw mut sizes)
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    let is_known = usize::from(sizes.seccomp_notif) <= size_of::<libc::seccomp_notif>()
        && usize::from(sizes.seccomp_notif_resp) <= size_of::<libc::seccomp_notif_resp>();
    if is_known { Ok(()) } else { Err(io::ErrorKind::Unsupported.into()) }
}
