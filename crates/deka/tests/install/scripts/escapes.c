// Tries what would lead a script out of the sandbox past all files, and prints what works.
//
//     escapes <its guard> <deka>

#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include <fcntl.h>

#define TRY(what, call) \
    do { \
        if ((long)(call) >= 0) printf("%s\n", what); \
    } while (0)

static long open_of(const char *process, const char *file, int flags) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%s/%s", process, file);
    return open(path, flags);
}

int main(int count, char **arguments) {
    if (count < 3) return 1;
    for (int at = 1; at < 3; at++) {
        char *name = arguments[at];
        pid_t other = atoi(name);
        struct rlimit limit = {64, 64};
        char here[8];
        struct iovec local = {here, sizeof here}, remote = {&here, sizeof here};
        TRY("ptrace", ptrace(PTRACE_SEIZE, other, 0, 0));
        TRY("memory", open_of(name, "mem", O_RDWR));
        TRY("variables", open_of(name, "environ", O_RDONLY));
        TRY("descriptor", open_of(name, "fd/1", O_WRONLY));
        TRY("folder", open_of(name, "cwd/package.json", O_RDWR));
        TRY("reading memory", syscall(SYS_process_vm_readv, other, &local, 1, &remote, 1, 0));
        TRY("limits", prlimit(other, RLIMIT_NOFILE, &limit, 0));
    }
    TRY("terminal", open("/dev/tty", O_RDWR));
    TRY("typing", ioctl(0, TIOCSTI, "x"));
    TRY("unix socket", socket(AF_UNIX, SOCK_STREAM, 0));
    TRY("internet", socket(AF_INET, SOCK_STREAM, 0));
    TRY("kernel crypto", socket(38, SOCK_SEQPACKET, 0));
    TRY("virtual machine", socket(40, SOCK_STREAM, 0));
    TRY("kernel events", socket(AF_NETLINK, SOCK_RAW, 15));
    TRY("io_uring", syscall(425, 8, 0));
    TRY("shared memory", syscall(SYS_shmget, IPC_PRIVATE, 4096, 0600));
    TRY("messages", syscall(SYS_msgget, IPC_PRIVATE, 0600));
    TRY("semaphores", syscall(SYS_semget, IPC_PRIVATE, 1, 0600));
    TRY("session keys", syscall(SYS_keyctl, 0, -3, 0));
    TRY("a key", syscall(SYS_add_key, "user", "deka-escape", "x", 1, -2));
    TRY("namespace", unshare(CLONE_NEWUSER));
    TRY("namespace of a child", syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
    TRY("secret of root", open("/etc/shadow", O_RDONLY));
    TRY("link", link("../../package.json", "linked"));
    printf("end\n");
    return 0;
}
