//! Linux: Landlock and seccomp.

use std::collections::BTreeMap;
use std::path::Path;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _,
    RulesetCreatedAttr as _, Scope, path_beneath_rules,
};
use rustix::thread::{CapabilitySet, capabilities, set_capabilities, set_no_new_privs};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

use super::{Policy, Support};

/// The newest rights that are asked for; a kernel that knows fewer holds back fewer.
const RIGHTS: ABI = ABI::V9;

/// The x32 calls of x86-64 kernels have their own numbers, with this bit.
const X32: i64 = 0x4000_0000;

/// What leads to other processes past all files: memory and messages that all of a user's processes
/// share, keys, and tracing.
const SHARED: &[i64] = &[
    libc::SYS_add_key,
    libc::SYS_bpf,
    libc::SYS_keyctl,
    libc::SYS_msgctl,
    libc::SYS_msgget,
    libc::SYS_msgrcv,
    libc::SYS_msgsnd,
    libc::SYS_perf_event_open,
    libc::SYS_request_key,
    libc::SYS_semctl,
    libc::SYS_semget,
    libc::SYS_semop,
    libc::SYS_semtimedop,
    libc::SYS_setns,
    libc::SYS_shmat,
    libc::SYS_shmctl,
    libc::SYS_shmget,
    libc::SYS_userfaultfd,
];

/// What a filter cannot look into, and what all programs do without: `io_uring` makes sockets, and the
/// flags of `clone3` lie in memory.
const OPAQUE: &[i64] = &[libc::SYS_clone3, libc::SYS_io_uring_setup];

pub(super) fn support() -> Support {
    let files = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V1))
        .and_then(Ruleset::create);
    let network = Path::new("/proc/sys/kernel/seccomp/actions_avail").exists()
        && TargetArch::try_from(std::env::consts::ARCH).is_ok();
    Support { files: files.is_ok(), network }
}

pub(super) fn enter(policy: &Policy) -> Result<(), String> {
    // Every kernel with Landlock can do it.
    drop(deka_fs::withhold_descriptors());
    drop_capabilities().map_err(|error| format!("capabilities can't be dropped: {error}"))?;
    restrict_files(policy).map_err(|error| format!("the sandbox for files failed: {error}"))?;
    if support().network {
        restrict_calls(policy.has_network)
            .map_err(|error| format!("the sandbox for sockets failed: {error}"))?;
    }
    Ok(())
}

/// Takes from root what goes beyond files: with it the memory and the variables of every process can
/// be read. Programs started from here get nothing back.
fn drop_capabilities() -> std::io::Result<()> {
    let kept = CapabilitySet::CHOWN
        | CapabilitySet::DAC_OVERRIDE
        | CapabilitySet::FOWNER
        | CapabilitySet::FSETID
        | CapabilitySet::SETGID
        | CapabilitySet::SETUID;
    set_no_new_privs(true)?;
    let mut sets = capabilities(None)?;
    sets.permitted &= kept;
    sets.effective &= kept;
    sets.inheritable &= kept;
    Ok(set_capabilities(None, sets)?)
}

fn restrict_files(policy: &Policy) -> Result<(), landlock::RulesetError> {
    let reading = AccessFs::from_read(RIGHTS);
    let mut rules = Ruleset::default()
        .handle_access(AccessFs::from_all(RIGHTS))?
        .scope(Scope::from_all(RIGHTS))?;
    if !policy.has_network {
        rules = rules.handle_access(AccessNet::from_all(RIGHTS))?;
    }
    let mut devices = AccessFs::from_file(ABI::V1) & AccessFs::from_all(ABI::V1);
    devices.remove(AccessFs::Execute);
    let mut writing = AccessFs::from_all(RIGHTS);
    writing.remove(AccessFs::MakeBlock | AccessFs::MakeChar);
    // Paths that do not exist are left out by the library.
    rules
        .create()?
        .add_rules(path_beneath_rules(&policy.read, reading))?
        .add_rules(path_beneath_rules(&policy.list, AccessFs::ReadDir))?
        .add_rules(path_beneath_rules(&policy.write, writing))?
        .add_rules(path_beneath_rules(["/dev/null", "/dev/zero", "/dev/full"], devices))?
        .restrict_self()
        .map(drop)
}

/// Refuses what leads out of the sandbox past all files.
///
/// No sockets are made but those that ask the kernel about the machine's own addresses, and with a network
/// those of the internet: services of this machine that have a path as their address (a desktop's bus, a
/// container engine) would do anything for a script. Pairs of sockets lead nowhere else. A namespace of
/// users would make the script root in there, which lets it try more of the kernel.
fn restrict_calls(has_network: bool) -> seccompiler::Result<()> {
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    let is = |argument, operator, value: libc::c_int| {
        let value = u64::from(value.unsigned_abs());
        SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)
    };
    let families: &[libc::c_int] = if has_network {
        &[libc::AF_NETLINK, libc::AF_INET, libc::AF_INET6]
    } else {
        &[libc::AF_NETLINK]
    };
    let other_family = families
        .iter()
        .map(|family| is(0, SeccompCmpOp::Ne, *family))
        .collect::<Result<Vec<_>, _>>()?;
    let other_netlink = vec![
        is(0, SeccompCmpOp::Eq, libc::AF_NETLINK)?,
        is(2, SeccompCmpOp::Ne, libc::NETLINK_ROUTE)?,
    ];
    let sockets = vec![SeccompRule::new(other_family)?, SeccompRule::new(other_netlink)?];
    apply(arch, libc::EACCES, [(libc::SYS_socket, sockets)])?;

    let flag = SeccompCmpOp::MaskedEq(u64::from(libc::CLONE_NEWUSER.unsigned_abs()));
    let new_users = vec![SeccompRule::new(vec![is(0, flag, libc::CLONE_NEWUSER)?])?];
    let of_another = vec![SeccompRule::new(vec![is(0, SeccompCmpOp::Ne, 0)?])?];
    let some = [
        (libc::SYS_clone, new_users.clone()),
        (libc::SYS_unshare, new_users),
        (libc::SYS_prlimit64, of_another),
    ];
    let shared = SHARED.iter().map(|call| (*call, Vec::new()));
    apply(arch, libc::EPERM, some.into_iter().chain(shared))?;
    apply(arch, libc::ENOSYS, OPAQUE.iter().map(|call| (*call, Vec::new())))
}

/// Refuses calls: each always, or where one of its rules holds.
fn apply(
    arch: TargetArch,
    errno: libc::c_int,
    rules: impl IntoIterator<Item = (libc::c_long, Vec<SeccompRule>)>,
) -> seccompiler::Result<()> {
    let mut all = BTreeMap::new();
    for (call, rules) in rules {
        if arch == TargetArch::x86_64 {
            all.insert(call | X32, rules.clone());
        }
        all.insert(call, rules);
    }
    let action = SeccompAction::Errno(errno.unsigned_abs());
    let filter = SeccompFilter::new(all, SeccompAction::Allow, action, arch)?;
    seccompiler::apply_filter(&BpfProgram::try_from(filter)?)
}
