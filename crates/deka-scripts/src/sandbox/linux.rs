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

/// `errno` of what is refused.
const EACCES: u32 = 13;
const ENOSYS: u32 = 38;

/// The families of sockets that stay: asking the kernel about the machine's own addresses.
const AF_NETLINK: u64 = 16;

/// Numbers of system calls.
struct Calls {
    socket: i64,
    io_uring_setup: i64,
}

#[cfg(target_arch = "x86_64")]
const CALLS: Calls = Calls { socket: 41, io_uring_setup: 425 };
#[cfg(not(target_arch = "x86_64"))]
const CALLS: Calls = Calls { socket: 198, io_uring_setup: 425 };

/// The x32 calls of x86-64 kernels have their own numbers, with this bit.
const X32: i64 = 0x4000_0000;

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
    drop_capabilities().map_err(|error| format!("capabilities can't be dropped: {error}"))?;
    restrict_files(policy).map_err(|error| format!("the sandbox for files failed: {error}"))?;
    if !policy.has_network && support_of_filters() {
        forbid_sockets().map_err(|error| format!("the sandbox for sockets failed: {error}"))?;
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

fn support_of_filters() -> bool {
    support().network
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

/// Refuses to make sockets of any kind that leads out of the sandbox, services of this machine
/// included; pairs of sockets are no such kind. `io_uring` can make sockets too, so it is not there.
fn forbid_sockets() -> seccompiler::Result<()> {
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    let is_other_family =
        SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, AF_NETLINK)?;
    let sockets = vec![SeccompRule::new(vec![is_other_family])?];
    let always = Vec::new();
    apply(arch, EACCES, &[(CALLS.socket, sockets)])?;
    apply(arch, ENOSYS, &[(CALLS.io_uring_setup, always)])
}

fn apply(
    arch: TargetArch,
    errno: u32,
    rules: &[(i64, Vec<SeccompRule>)],
) -> seccompiler::Result<()> {
    let mut all = BTreeMap::new();
    for (call, rules) in rules {
        all.insert(*call, rules.clone());
        if arch == TargetArch::x86_64 {
            all.insert(*call | X32, rules.clone());
        }
    }
    let action = SeccompAction::Errno(errno);
    let filter = SeccompFilter::new(all, SeccompAction::Allow, action, arch)?;
    seccompiler::apply_filter(&BpfProgram::try_from(filter)?)
}
