//! Linux: Landlock and seccomp.

use std::collections::BTreeMap;
use std::path::Path;

use deka_fs::{ASK_LISTENER, CallListener, FilterInstruction};
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

/// The instruction of a filter that ends it with an action.
const RETURN: u16 = 0x06;

pub(super) fn support() -> Support {
    let files = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V1))
        .and_then(Ruleset::create);
    let network = Path::new("/proc/sys/kernel/seccomp/actions_avail").exists()
        && TargetArch::try_from(std::env::consts::ARCH).is_ok();
    Support { files: files.is_ok(), network }
}

/// Hears of calls that would have led to the network.
pub(crate) struct Listener(CallListener);

impl Listener {
    /// Refuses them until nobody is left that could make one; `hear` is told of each.
    pub(crate) fn refuse_all(self, hear: impl FnMut()) {
        self.0.refuse_all(libc::EACCES, hear);
    }
}

pub(super) fn enter(policy: &Policy) -> Result<Option<Listener>, String> {
    // Every kernel with Landlock can do it.
    drop(deka_fs::withhold_descriptors());
    drop_capabilities().map_err(|error| format!("capabilities can't be dropped: {error}"))?;
    restrict_files(policy).map_err(|error| format!("the sandbox for files failed: {error}"))?;
    if !support().network {
        return Ok(None);
    }
    restrict_calls(policy.has_network)
        .map_err(|error| format!("the sandbox for sockets failed: {error}"))
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

/// Refuses what leads out of the sandbox past all files. Returns who hears of what is refused, where the
/// kernel can do that.
///
/// No sockets are made but those that ask the kernel about the machine's own addresses, and with a network
/// those of the internet: services of this machine that have a path as their address (a desktop's bus, a
/// container engine) would do anything for a script. Pairs of sockets lead nowhere else. A namespace of
/// users would make the script root in there, which lets it try more of the kernel.
fn restrict_calls(has_network: bool) -> seccompiler::Result<Option<Listener>> {
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    let errno = |errno: libc::c_int| SeccompAction::Errno(errno.unsigned_abs());
    let is = |argument, operator, value: libc::c_int| {
        let value = u64::from(value.unsigned_abs());
        SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)
    };
    let other_family = [libc::AF_NETLINK, libc::AF_INET, libc::AF_INET6]
        .iter()
        .map(|family| is(0, SeccompCmpOp::Ne, *family))
        .collect::<Result<Vec<_>, _>>()?;
    let other_netlink = vec![
        is(0, SeccompCmpOp::Eq, libc::AF_NETLINK)?,
        is(2, SeccompCmpOp::Ne, libc::NETLINK_ROUTE)?,
    ];
    let sockets = vec![SeccompRule::new(other_family)?, SeccompRule::new(other_netlink)?];
    seccompiler::apply_filter(&filter(arch, errno(libc::EACCES), [(libc::SYS_socket, sockets)])?)?;

    let flag = SeccompCmpOp::MaskedEq(u64::from(libc::CLONE_NEWUSER.unsigned_abs()));
    let new_users = vec![SeccompRule::new(vec![is(0, flag, libc::CLONE_NEWUSER)?])?];
    let of_another = vec![SeccompRule::new(vec![is(0, SeccompCmpOp::Ne, 0)?])?];
    let some = [
        (libc::SYS_clone, new_users.clone()),
        (libc::SYS_unshare, new_users),
        (libc::SYS_prlimit64, of_another),
    ];
    let shared = SHARED.iter().map(|call| (*call, Vec::new()));
    let refused = filter(arch, errno(libc::EPERM), some.into_iter().chain(shared))?;
    seccompiler::apply_filter(&refused)?;
    let opaque = OPAQUE.iter().map(|call| (*call, Vec::new()));
    seccompiler::apply_filter(&filter(arch, errno(libc::ENOSYS), opaque)?)?;
    if has_network {
        return Ok(None);
    }
    let internet = || {
        let families = [libc::AF_INET, libc::AF_INET6].into_iter();
        let rules = families.map(|family| SeccompRule::new(vec![is(0, SeccompCmpOp::Eq, family)?]));
        Ok::<_, seccompiler::Error>([(libc::SYS_socket, rules.collect::<Result<_, _>>()?)])
    };
    // Which action is not among the library's own; another one stands in for it.
    let mut asking = filter(arch, SeccompAction::Trap, internet()?)?;
    let asking = asking.drain(..).map(|instruction| {
        let is_action = instruction.code == RETURN && instruction.k == libc::SECCOMP_RET_TRAP;
        FilterInstruction {
            code: instruction.code,
            jump_true: instruction.jt,
            jump_false: instruction.jf,
            operand: if is_action { ASK_LISTENER } else { instruction.k },
        }
    });
    if let Ok(listener) = CallListener::start(&asking.collect::<Vec<_>>()) {
        return Ok(Some(Listener(listener)));
    }
    seccompiler::apply_filter(&filter(arch, errno(libc::EACCES), internet()?)?)?;
    Ok(None)
}

/// Makes a filter that does something else with calls than to allow them: with each always, or where one of
/// its rules holds.
fn filter(
    arch: TargetArch,
    action: SeccompAction,
    rules: impl IntoIterator<Item = (libc::c_long, Vec<SeccompRule>)>,
) -> seccompiler::Result<BpfProgram> {
    let mut all = BTreeMap::new();
    for (call, rules) in rules {
        if arch == TargetArch::x86_64 {
            all.insert(call | X32, rules.clone());
        }
        all.insert(call, rules);
    }
    let filter = SeccompFilter::new(all, SeccompAction::Allow, action, arch)?;
    Ok(BpfProgram::try_from(filter)?)
}
